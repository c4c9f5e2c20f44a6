import { expect, test } from '@jest/globals';
import { phonetic } from './phonetic.ts';

test.each<[string, string[]]>([
  ['', []],
  ['Kk7-', ['capital Kilo', 'kilo', 'seven', 'hyphen']],
  ['az AZ', ['alfa', 'zulu', 'space', 'capital Alfa', 'capital Zulu']],
  ['0189', ['zero', 'one', 'eight', 'nine']],
  ['oO0', ['oscar', 'capital Oscar', 'zero']],
  ['l1I|', ['lima', 'one', 'capital India', 'vertical bar']],
  ['!#$%&*+', ['exclamation mark', 'hash', 'dollar', 'percent', 'ampersand', 'asterisk', 'plus']],
  ['./=?@^_~', ['dot', 'slash', 'equals', 'question mark', 'at', 'caret', 'underscore', 'tilde']],
  ['"\'\\`', ['double quote', 'single quote', 'backslash', 'backtick']],
  ['ä€', ['U+00E4', 'U+20AC']],
  ['😀\u001b', ['U+1F600', 'U+001B']],
])('%j is said %j', (password, said) => {
  expect(phonetic(password)).toEqual(said);
});

test('every character that can be typed has a name of its own', () => {
  const typed = Array.from({ length: 0x7f - 0x20 }, (_, at) => String.fromCharCode(0x20 + at)).join('');
  const said = phonetic(typed);
  expect(new Set(said.map((name) => name)).size).toBe(typed.length);
  expect(said.filter((name) => name.startsWith('U+') || name === '')).toEqual([]);
});
