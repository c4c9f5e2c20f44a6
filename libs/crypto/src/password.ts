import { randomInt } from 'node:crypto';

// Without look-alikes (0 O 1 l I |), quotes, backslash, space, and `:`, which ends a field in chpasswd's input.
const classes = ['abcdefghijkmnopqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '!#$%&*+-./=?@^_~'] as const;
const alphabet = classes.join('');

/**
 * Makes a random password of `length` characters (12 to 127) in which each of four classes (lower, upper, digit, sign)
 * stands at least once. Every such password is equally likely: candidates that miss a class are thrown away whole.
 */
export function generatePassword(length: number): string {
  if (!Number.isInteger(length) || length < 12 || length > 127) throw new RangeError('A password has between 12 and 127 characters.');
  for (;;) {
    const candidate = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    if (classes.every((characters) => [...candidate].some((character) => characters.includes(character)))) return candidate;
  }
}
