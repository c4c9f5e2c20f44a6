import { describe, expect, test } from '@jest/globals';
import type { Reading } from '../deadline/device-clock.ts';
import {
  afterFailure,
  afterSuccess,
  failuresUntilWiped,
  freeFailures,
  isSetBack,
  lockedForMs,
  noTries,
  type OfflineGuard,
} from './offline-guard.domain.ts';

const noon = Date.parse('2026-11-23T12:00:10Z');
const present = 59_000_000;
const second = 1000;
/** `wall` and `boot` in seconds. */
const at = (wall: number, boot: number, bootId = 'one'): Reading => ({ wallMs: noon + wall * second, bootMs: boot * second, bootId });

const failed = (times: number, now: Reading, from: OfflineGuard = noTries) =>
  Array.from({ length: times }).reduce<OfflineGuard>((guard) => afterFailure(guard, freeFailures, now), from);

describe('the wait after wrong codes', () => {
  test.each([
    [1, 0],
    [4, 0],
    [5, 30],
    [6, 60],
    [7, 120],
    [10, 960],
    [11, 1920],
    [12, 3600],
    [failuresUntilWiped, 3600],
  ])('%i in a row: %i s', (times, seconds) => expect(lockedForMs(failed(times, at(0, 100)), at(0, 100))).toBe(seconds * second));

  /** Five failures at 100 s after boot one; how many seconds are left of the 30. */
  test.each<[string, Reading, number]>([
    ['10 s later', at(10, 110), 20],
    ['30 s later', at(30, 130), 0],
    ['clock set a day ahead', at(86_400, 110), 20],
    ['clock set a day back', at(-86_400, 110), 20],
    ['clock set a day back, 30 s later', at(-86_400, 130), 0],
    ['rebooted: what was waited before does not count', at(100, 5, 'two'), 25],
    ['rebooted with the clock a day ahead', at(86_400, 5, 'two'), 25],
    ['rebooted, then 30 s', at(-9, 30, 'two'), 0],
    ['rebooted again and again', at(300, 5, 'nine'), 25],
  ])('%s', (_name, now, seconds) => expect(lockedForMs(failed(5, at(0, 100)), now)).toBe(seconds * second));

  test('a right code ends it and the count', () => {
    const guard = afterSuccess(failed(9, at(0, 100)), present);
    expect([guard.failures, lockedForMs(guard, at(0, 100))]).toEqual([0, 0]);
  });

  test('a wrong code keeps the steps that were used', () =>
    expect(failed(3, at(0, 1), { ...noTries, lastStep: present }).lastStep).toBe(present));
});

test('a used step stays used, whichever step is used next', () =>
  expect(afterSuccess({ ...noTries, lastStep: present }, present - 5).lastStep).toBe(present));

describe('a clock that was set back', () => {
  test.each<[string, Reading | null, Reading, boolean]>([
    ['nothing known', null, at(0, 0), false],
    ['as it was', at(0, 100), at(0, 100), false],
    ['later', at(0, 100), at(500, 600), false],
    ['corrected by some seconds', at(0, 100), at(480, 500), false],
    ['set back by ten minutes within one boot', at(0, 100), at(-100, 600), true],
    ['standing still while the computer ran for an hour', at(0, 100), at(0, 3700), true],
    ['rebooted, later', at(0, 100), at(90, 10, 'two'), false],
    ['rebooted, ten minutes before', at(0, 100), at(-600, 10, 'two'), true],
    ['rebooted with the clock of 1970', at(0, 100), at(-noon / second, 10, 'two'), true],
  ])('%s', (_name, known, now, setBack) => expect(isSetBack(known, now)).toBe(setBack));
});
