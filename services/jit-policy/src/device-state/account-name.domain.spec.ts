import { describe, expect, test } from '@jest/globals';
import { accountName, sharedAccountName } from './account-name.domain.ts';

const anna = '019364f0-0000-7000-8000-00000000000a';
const other = '019364f0-0000-7000-8000-00000000000b';
const none = new Set<string>();

describe('account names', () => {
  test.each<[string, string, string, ReadonlySet<string>, string]>([
    ['plain', 'jit-', 'anna@example.com', none, 'jit-anna'],
    ['dots and plus are dropped', 'jit-', 'anna.berg+x@example.com', none, 'jit-annabergx'],
    ['case', 'jit-', 'Anna.BERG@Example.com', none, 'jit-annaberg'],
    ['accents are dropped from their letters', 'jit-', 'Zoë.Müller@example.com', none, 'jit-zoemuller'],
    ['look-alikes of other scripts are dropped', 'jit-', '\u0430nna@example.com', none, 'jit-nna'],
    ['full-width letters become plain', 'jit-', '\uff41nna@example.com', none, 'jit-anna'],
    ['nothing that a shell knows survives', 'jit-', `a';$(rm)\`&|<>"\\/ %@example.com`, none, 'jit-arm'],
    ['20 characters', 'jit-', 'wolfeschlegelsteinhausen@example.com', none, 'jit-wolfeschlegelste'],
    ['a long prefix', 'jit_01-abc', 'wolfeschlegelsteinhausen@example.com', none, 'jit_01-abcwolfeschle'],
    ['control and invisible characters are dropped', 'jit-', 'an\u0000na\n\u200b\u202e@example.com', none, 'jit-anna'],
    ['ligatures and digits of other scripts', 'jit-', '\ufb01ona\u0663@example.com', none, 'jit-fiona'],
    ['no dot is left, at the end neither', 'jit-', 'anna.@example.com', none, 'jit-anna'],
    ['a reserved name of Windows is none behind the prefix', 'jit-', 'con@example.com', none, 'jit-con'],
    ['nor is a name of the system', 'jit-', 'Administrator@example.com', none, 'jit-administrator'],
    ['only the last @ divides', 'jit-', '"a@b"@example.com', none, 'jit-ab'],
  ])('%s', (_, prefix, email, taken, expected) => {
    expect(accountName(prefix, email, anna, taken)).toBe(expected);
  });

  const suffixed = /^jit-anna-[0-9a-f]{4}$/;
  test('a taken name gets a suffix: always the same for a technician, another for the next', () => {
    const taken = new Set(['jit-anna']);
    const name = accountName('jit-', 'anna@a.example', anna, taken);
    expect(name).toMatch(suffixed);
    expect(accountName('jit-', 'anna@a.example', anna, taken)).toBe(name);
    expect(accountName('jit-', 'anna@b.example', other, taken)).not.toBe(name);
  });

  test('even the suffixed name may be taken', () => {
    const first = accountName('jit-', 'anna@a.example', anna, new Set(['jit-anna']));
    const second = accountName('jit-', 'anna@a.example', anna, new Set(['jit-anna', first]));
    expect(second).toMatch(suffixed);
    expect(second).not.toBe(first);
  });

  test('names that are the same only after cutting stay apart within 20 characters', () => {
    const name = accountName('jit-', 'wolfeschlegelsteinhausenberger@a.example', anna, new Set(['jit-wolfeschlegelste']));
    expect(name).toMatch(/^jit-wolfeschleg-[0-9a-f]{4}$/);
    expect(name).toHaveLength(20);
  });

  test.each([
    ['r', 'oot@example.com'],
    ['c', 'on@example.com'],
    ['c', 'om1@example.com'],
    ['admin', 'istrator@example.com'],
  ])('of the system itself (%s%s) get a suffix', (prefix, email) => {
    expect(accountName(prefix, email, anna, none)).toMatch(/^[a-z0-9]+-[0-9a-f]{4}$/);
  });

  test('shared ones follow the same rules', () => {
    expect(sharedAccountName('jit-', other, none)).toBe('jit-shared');
    const taken = new Set(['jit-shared']);
    expect(sharedAccountName('jit-', other, taken)).toMatch(/^jit-shared-[0-9a-f]{4}$/);
    expect(sharedAccountName('jit-', other, taken)).toBe(sharedAccountName('jit-', other, taken));
  });

  test.each(['+++@example.com', '日本@example.com', '@example.com'])('%s leaves nothing: the suffix is the name', (email) => {
    expect(accountName('jit-', email, anna, none)).toMatch(/^jit--[0-9a-f]{4}$/);
  });
});
