import { describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { fail, limits, lockedUntil, noFailures, type Failures } from './totp.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const limit = limits.technicianAtDevice;
const after = (wrong: number, at = now): Failures =>
  Array.from({ length: wrong }).reduce<Failures>((failures) => fail(failures, limit, at), noFailures(now));

describe('wrong codes in a row', () => {
  test.each([
    [0, 0],
    [4, 0],
    [5, 30],
    [6, 60],
    [7, 120],
    [12, 3600],
    [100, 3600],
  ])('%i of them lock for %i s', (wrong, seconds) => {
    const until = lockedUntil(after(wrong), now);
    expect(until).toEqual(seconds === 0 ? null : addSeconds(now, seconds));
  });

  test.each([
    [29, true],
    [30, false],
  ])('a lock of 30 s holds after %i s: %p', (seconds, held) => {
    expect(lockedUntil(after(5), addSeconds(now, seconds)) !== null).toBe(held);
  });

  test('are forgotten after the window', () => {
    const later = addSeconds(now, limit.windowSeconds);
    expect(fail(after(4), limit, later)).toEqual({ count: 1, windowBeganAt: later, lockedUntil: null });
  });
});
