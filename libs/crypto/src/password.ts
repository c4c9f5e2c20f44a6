import { randomInt } from 'node:crypto';

/**
 * Characters by class (lower, upper, digit, sign). Without those that many fonts show alike (0 O, 1 l I), and never with
 * quotes, backslash, space or `|`, which keyboards and shells make trouble with, or `:`, which ends a field in chpasswd's input.
 */
const unambiguous = ['abcdefghijkmnopqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '!#$%&*+-./=?@^_~'] as const;
const all = ['abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '0123456789', unambiguous[3]] as const;

/** The classes of characters that passwords are made of. */
export function characterClasses(options: { unambiguous: boolean; symbols: boolean }): readonly string[] {
  return (options.unambiguous ? unambiguous : all).slice(0, options.symbols ? 4 : 3);
}

/**
 * Makes a random password of `length` characters in which each class stands at least once. Every such password is equally
 * likely: candidates that miss a class are thrown away whole.
 */
export function passwordOf(classes: readonly string[], length: number): string {
  const alphabet = classes.join('');
  for (;;) {
    const candidate = Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
    if (classes.every((characters) => [...candidate].some((character) => characters.includes(character)))) return candidate;
  }
}

/** Makes a random password of `length` characters (12 to 127), of all four classes, for an account of one session. */
export function generatePassword(length: number): string {
  if (!Number.isInteger(length) || length < 12 || length > 127) throw new RangeError('A password has between 12 and 127 characters.');
  return passwordOf(unambiguous, length);
}
