import { randomInt } from 'node:crypto';
import { effLongWordList } from './eff-long-word-list.ts';
import { characterClasses, passwordOf } from './password.ts';

/** What passwords of break-glass accounts are made of. */
export interface LapsPasswordPolicy {
  style: 'CHARACTERS' | 'PASSPHRASE';
  /** CHARACTERS: how many, 8 to 127. */
  length: number;
  /** CHARACTERS: without those that look like others. */
  unambiguous: boolean;
  /** CHARACTERS: signs, too; otherwise letters and digits only. */
  symbols: boolean;
  /** PASSPHRASE: how many words, 3 to 12. */
  words: number;
}

/**
 * Makes a password by a policy: characters of which each class stands at least once, or words of the EFF's long list with
 * `-` between them. Every password that the policy allows is equally likely. RangeError for a policy that is none.
 */
export function generateLapsPassword(policy: LapsPasswordPolicy): string {
  check(policy);
  if (policy.style === 'CHARACTERS') return passwordOf(characterClasses(policy), policy.length);
  return Array.from({ length: policy.words }, () => effLongWordList[randomInt(effLongWordList.length)]).join('-');
}

/** How hard a password of this policy is to guess for somebody who knows the policy: log2 of the number of passwords that it allows. */
export function lapsPasswordEntropyBits(policy: LapsPasswordPolicy): number {
  check(policy);
  if (policy.style === 'PASSPHRASE') return policy.words * Math.log2(effLongWordList.length);
  // Inclusion and exclusion: all strings, less those that miss a class, and so on.
  const sizes = characterClasses(policy).map(({ length }) => length);
  const count = subsets(sizes).reduce((sum, left) => {
    const sign = (sizes.length - left.length) % 2 === 0 ? 1n : -1n;
    return sum + sign * BigInt(left.reduce((total, size) => total + size, 0)) ** BigInt(policy.length);
  }, 0n);
  return log2(count);
}

function check({ style, length, words }: LapsPasswordPolicy): void {
  if (style === 'CHARACTERS') {
    if (!Number.isInteger(length) || length < 8 || length > 127) throw new RangeError('A password has between 8 and 127 characters.');
  } else if (!Number.isInteger(words) || words < 3 || words > 12) throw new RangeError('A passphrase has between 3 and 12 words.');
}

function subsets<Item>(items: readonly Item[]): Item[][] {
  return items.reduce<Item[][]>((sets, item) => [...sets, ...sets.map((set) => [...set, item])], [[]]);
}

function log2(value: bigint): number {
  const excess = Math.max(0, value.toString(2).length - 53);
  return Math.log2(Number(value >> BigInt(excess))) + excess;
}
