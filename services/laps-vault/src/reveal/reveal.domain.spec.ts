import { describe, expect, test } from '@jest/globals';
import { candidatesOf, isMassReveal, limitedUntil } from './reveal.domain.ts';

const now = new Date('2026-11-24T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const many = (count: number, from: number, step: number) => Array.from({ length: count }, (_, at) => ago(from + at * step));
const after = (time: Date, seconds: number) => new Date(time.getTime() + seconds * 1000);

describe('limits', () => {
  test.each<[string, Date[], Date | null]>([
    ['none before', [], null],
    ['nine within a minute', many(9, 1, 1), null],
    ['ten within a minute', many(10, 1, 1), after(ago(10), 60)],
    ['ten, the first a minute ago', many(10, 51, 1), null],
    ['59 within an hour', many(59, 61, 50), null],
    ['60 within an hour', many(60, 61, 50), after(ago(61 + 59 * 50), 3600)],
    ['60, the first an hour ago', many(60, 650, 50), null],
  ])('%s', (_, times, until) => expect(limitedUntil(times, now)).toEqual(until));
});

test('the twentieth account within ten minutes is told, once', () => {
  const read = (count: number) => Array.from({ length: count }, (_, at) => ({ at: ago(at), accountId: `account ${at}` }));
  expect(isMassReveal(read(18), 'new', now)).toBe(false);
  expect(isMassReveal(read(19), 'new', now)).toBe(true);
  expect(isMassReveal(read(19), 'account 3', now)).toBe(false);
  expect(isMassReveal(read(20), 'new', now)).toBe(false);
  expect(isMassReveal([...read(18), { at: ago(601), accountId: 'old' }], 'new', now)).toBe(false);
});

describe('candidates', () => {
  const version = (state: 'PENDING' | 'CANDIDATE' | 'CURRENT' | 'FORMER', fence: number) => ({ state, fence });
  const versions = [version('FORMER', 1), version('FORMER', 2), version('CURRENT', 3), version('CANDIDATE', 4), version('PENDING', 5)];

  test('the one that was read back first, then what may have followed, newest first', () =>
    expect(candidatesOf(versions, false).map(({ version: { fence }, certainty }) => [fence, certainty])).toEqual([
      [3, 'CONFIRMED'],
      [5, 'CANDIDATE'],
      [4, 'CANDIDATE'],
    ]));

  test('with the history', () => expect(candidatesOf(versions, true).map(({ version: { fence } }) => fence)).toEqual([3, 5, 4, 2, 1]));

  test('a computer that was set back holds a former one again', () =>
    expect(candidatesOf([version('CANDIDATE', 1), version('CURRENT', 3)], false).map(({ version: { fence } }) => fence)).toEqual([3, 1]));
});
