import { expect, test } from '@jest/globals';
import { mustWarn, warnBeforeMs, warningText } from './warning.domain.ts';

const minute = 60_000;

test.each([
  ['an hour', 300, 60, 5],
  ['eight hours', 300, 480, 5],
  ['twenty minutes', 300, 20, 4],
  ['five minutes', 300, 5, 1],
  ['set to one minute by the server', 60, 60, 1],
])('a session of %s is told in time', (_name, warnSeconds, session, before) =>
  expect(warnBeforeMs(warnSeconds, session * minute)).toBe(before * minute),
);

test.each<[string, number, number | undefined, boolean]>([
  ['long before', 6, undefined, false],
  ['five minutes before', 5, undefined, true],
  ['shortened to less', 2, undefined, true],
  ['told already', 4, 60, false],
  ['told, then extended', 4, 50, true],
  ['over', 0, undefined, false],
])('%s', (_name, remaining, warnedFor, told) =>
  expect(
    mustWarn({
      warnSeconds: 300,
      sessionMs: 60 * minute,
      remainingMs: remaining * minute,
      warnedForMs: warnedFor && warnedFor * minute,
    }),
  ).toBe(told),
);

test('switched off by the server', () =>
  expect(mustWarn({ warnSeconds: 0, sessionMs: 60 * minute, remainingMs: 1, warnedForMs: undefined })).toBe(false));

test.each([
  [300, '5 minutes'],
  [90, '2 minutes'],
  [40, '40 seconds'],
])('%i seconds are said as %s', (seconds, words) =>
  expect(warningText('jit-ann', seconds)).toContain(`jit-ann ends in ${words}. To go on`),
);
