import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { effLongWordList } from './eff-long-word-list.ts';
import { generateLapsPassword, lapsPasswordEntropyBits, type LapsPasswordPolicy } from './laps-password.ts';

const characters: LapsPasswordPolicy = { style: 'CHARACTERS', length: 24, unambiguous: true, symbols: true, words: 6 };
const passphrase: LapsPasswordPolicy = { ...characters, style: 'PASSPHRASE' };
const many = (policy: LapsPasswordPolicy, times: number) => Array.from({ length: times }, () => generateLapsPassword(policy));

/** How far counts are from equal shares, in standard deviations of chi-squared: beyond 7 by chance less than once in 10^11 runs. */
function surprise(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquared = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  const freedom = counts.length - 1;
  return (chiSquared - freedom) / Math.sqrt(2 * freedom);
}
const tally = (alphabet: readonly string[], drawn: Iterable<string>) => {
  const counts = new Map(alphabet.map((each) => [each, 0]));
  for (const each of drawn) counts.set(each, (counts.get(each) ?? Number.NaN) + 1);
  return [...counts.values()];
};

describe('single characters', () => {
  test.each<[Partial<LapsPasswordPolicy>, RegExp]>([
    [{}, /^(?=.*[a-z])(?=.*[A-Z])(?=.*[2-9])(?=.*[!#$%&*+\-./=?@^_~])[^0O1lI|:"'\\\s]{24}$/],
    [{ length: 8 }, /^(?=.*[a-z])(?=.*[A-Z])(?=.*[2-9])(?=.*[!#$%&*+\-./=?@^_~]).{8}$/],
    [{ length: 127 }, /^.{127}$/],
    [{ unambiguous: false }, /^(?=.*[0-9])[\x21-\x7e]{24}$/],
    [{ symbols: false }, /^(?=.*[a-z])(?=.*[A-Z])(?=.*[2-9])[a-zA-Z2-9]{24}$/],
    [{ symbols: false, unambiguous: false }, /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[a-zA-Z0-9]{24}$/],
  ])('%j', (change, form) => {
    for (const password of many({ ...characters, ...change }, 300)) expect(password).toMatch(form);
  });

  test('look-alikes come only where they may', () => {
    const drawn = many({ ...characters, unambiguous: false }, 300).join('');
    for (const one of '0O1lI') expect(drawn).toContain(one);
  });

  // Of long passwords few are thrown away, so that each character is as likely as any other, to within less than this sees.
  test('none is more likely than another', () => {
    const drawn = many({ ...characters, length: 127 }, 4000).join('');
    const alphabet = [...new Set(drawn)];
    expect(alphabet).toHaveLength(73);
    expect(surprise(tally(alphabet, drawn))).toBeLessThan(7);
  });

  test('neither at the first nor at the last place', () => {
    const drawn = many({ ...characters, length: 60 }, 20_000);
    const alphabet = [...new Set(drawn.join(''))];
    for (const at of [0, -1])
      expect(
        surprise(
          tally(
            alphabet,
            drawn.map((password) => password.at(at) ?? ''),
          ),
        ),
      ).toBeLessThan(7);
  });
});

describe('passphrases', () => {
  test('the list is the one that the EFF published', () => {
    const published = effLongWordList.map((word, at) => {
      const dice = Array.from({ length: 5 }, (_, place) => (Math.floor(at / 6 ** (4 - place)) % 6) + 1);
      return `${dice.join('')}\t${word}\n`;
    });
    // SHA-256 of https://www.eff.org/files/2016/07/18/eff_large_wordlist.txt
    expect(createHash('sha256').update(published.join('')).digest('hex')).toBe(
      'addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e',
    );
    expect(new Set(effLongWordList).size).toBe(7776);
  });

  test('two rows of words never make one passphrase: no word with - in it is made of others', () => {
    const words = new Set(effLongWordList);
    const divided = effLongWordList.filter((word) => word.includes('-'));
    expect(divided).toEqual(['drop-down', 'felt-tip', 't-shirt', 'yo-yo']);
    for (const word of divided) expect(word.split('-').every((part) => words.has(part))).toBe(false);
  });

  test.each([3, 6, 12])('of %d words', (words) => {
    const inside = new Set(effLongWordList);
    for (const drawn of many({ ...passphrase, words }, 100)) {
      const parts = drawn.replace(/(drop)-(down)|(felt)-(tip)|(t)-(shirt)|(yo)-(yo)/g, (found) => found.replace('-', '_')).split('-');
      expect(parts).toHaveLength(words);
      for (const part of parts) expect(inside).toContain(part.replace('_', '-'));
    }
  });

  test('none is more likely than another', () => {
    const drawn = many({ ...passphrase, words: 12 }, 10_000).flatMap((each) => each.split('-'));
    const whole = effLongWordList.filter((word) => !/-|^(?:drop|down|felt|tip|t|shirt|yo)$/.test(word));
    const inside = new Set(whole);
    expect(
      surprise(
        tally(
          whole,
          drawn.filter((word) => inside.has(word)),
        ),
      ),
    ).toBeLessThan(7);
  });
});

describe('the entropy', () => {
  test.each<[string, Partial<LapsPasswordPolicy>, number]>([
    // log2(7776) = 12.9248…
    ['three words', { style: 'PASSPHRASE', words: 3 }, 38.774],
    ['six words', { style: 'PASSPHRASE', words: 6 }, 77.549],
    // 73 characters: 73^24 is 148.56 bits; those that miss a class are 6 % of them.
    ['24 characters', {}, 148.46],
    // 73^8 is 49.52 bits; more than half of them miss a class.
    ['8 characters', { length: 8 }, 48.375],
    ['8 letters and digits', { length: 8, symbols: false, unambiguous: false }, 47.182],
    ['127 characters', { length: 127 }, 786.108],
  ])('of %s', (_, change, bits) => expect(lapsPasswordEntropyBits({ ...characters, ...change })).toBeCloseTo(bits, 2));
});

test.each<[string, Partial<LapsPasswordPolicy>]>([
  ['7 characters', { length: 7 }],
  ['128 characters', { length: 128 }],
  ['half a character', { length: 12.5 }],
  ['2 words', { style: 'PASSPHRASE', words: 2 }],
  ['13 words', { style: 'PASSPHRASE', words: 13 }],
  ['no number', { style: 'PASSPHRASE', words: Number.NaN }],
])('%s are refused', (_, change) => {
  expect(() => generateLapsPassword({ ...characters, ...change })).toThrow(RangeError);
  expect(() => lapsPasswordEntropyBits({ ...characters, ...change })).toThrow(RangeError);
});
