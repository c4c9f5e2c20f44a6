import { describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { hasMoved, lookSeconds, nextStep, pauseSeconds, type Candidate, type Step } from './break-glass.domain.ts';
import { newEntraPassword } from './entra-password.ts';

const now = new Date('2026-11-29T12:00:00Z');
const ago = (seconds: number) => addSeconds(now, -seconds);
type Rotation = Pick<Candidate, 'state' | 'calledAt'>;

test.each<[string, boolean, number | null, Rotation | null, Step | null]>([
  ['not ours any more', false, 3, null, null],
  ['not ours any more, in the middle', false, null, { state: 'SET', calledAt: now }, null],
  ['nothing to do', true, null, null, 'CHECK'],
  ['a change is due', true, 3, null, 'MAKE'],
  ['the vault has not answered', true, null, { state: 'OFFERED', calledAt: null }, 'OFFER'],
  ['the vault has not answered, and more is due', true, 3, { state: 'OFFERED', calledAt: null }, 'OFFER'],
  ['the vault has it', true, null, { state: 'TAKEN', calledAt: null }, 'SET'],
  ['a call whose end nobody saw', true, 3, { state: 'TAKEN', calledAt: ago(1) }, 'SET'],
  ['Entra said yes', true, null, { state: 'SET', calledAt: ago(1) }, 'LOOK'],
  ['Entra said yes long ago, and does not show it', true, null, { state: 'SET', calledAt: ago(lookSeconds) }, 'SET'],
])('%s', (_, registered, dueFence, candidate, step) => {
  expect(nextStep({ registered, dueFence }, candidate, now)).toBe(step);
});

test.each<[string, Date | null, Date | null, boolean]>([
  ['later', ago(60), now, true],
  ['the same', now, new Date(now), false],
  ['earlier: Entra shows an older state, and it is another one', now, ago(60), true],
  ['none before', null, now, true],
  ['none at all', null, null, false],
  ['none any more', now, null, false],
])('a change of the password is proved by its time: %s', (_, before, after, moved) => {
  expect(hasMoved(before, after)).toBe(moved);
});

test('pauses grow to a quarter of an hour, and are never shorter than Microsoft wants', () => {
  expect([0, 1, 5, 30].map((failures) => pauseSeconds(failures, null))).toEqual([5, 10, 160, 900]);
  expect(pauseSeconds(1, 120)).toBe(120);
});

describe('a password for Entra', () => {
  const policy = { style: 'CHARACTERS', length: 8, words: 3, unambiguous: true, symbols: false } as const;
  test.each([
    ['the shortest characters', policy],
    ['the longest characters', { ...policy, length: 127, symbols: true }],
    ['few words', { ...policy, style: 'PASSPHRASE' as const }],
    ['most words', { ...policy, style: 'PASSPHRASE' as const, words: 12 }],
  ])('of %s has 8 to 256 ASCII characters of three kinds', (_, given) => {
    for (let tries = 0; tries < 50; tries += 1) {
      const password = newEntraPassword(given);
      expect(password).toMatch(/^[\x21-\x7e]{8,256}$/);
      expect([/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((kind) => kind.test(password)).length).toBeGreaterThanOrEqual(3);
    }
  });
});
