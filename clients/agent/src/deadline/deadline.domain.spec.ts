import { describe, expect, test } from '@jest/globals';
import { checkpointed, mayActivate, remainingMs, revised, secondsBetween, startDeadline, type Deadline } from './deadline.domain.ts';
import type { Reading } from './device-clock.ts';

const minute = 60_000;
const noon = Date.parse('2026-11-23T12:00:00Z');
/** `wall` and `boot` in minutes after noon and after boot. */
const at = (wall: number, boot: number, bootId = 'one'): Reading => ({ wallMs: noon + wall * minute, bootId, bootMs: boot * minute });

// A session of 60 minutes that began at noon, 100 minutes after boot `one`.
const session = startDeadline({ sessionSeconds: 3600, expiresAtMs: null, revision: 7 }, at(0, 100));
/** What the server says under a revision: minutes of session, end in minutes after noon. */
const told = (of: Deadline, revision: number, session: number, end: number | null) =>
  revised(of, { revision, sessionSeconds: session * 60, expiresAtMs: end === null ? null : noon + end * minute });

describe('what is left of a session of 60 minutes, in minutes', () => {
  test.each<[string, Parameters<typeof remainingMs>[0], Reading, number]>([
    ['at its start', session, at(0, 100), 60],
    ['after 10 minutes', session, at(10, 110), 50],
    ['at its end', session, at(60, 160), 0],
    ['asleep over its end: boot time counts suspend', session, at(300, 400), -240],
    ['clock set back 2 hours: nothing gained', session, at(-110, 110), 50],
    ['clock set ahead 2 hours in the same boot: nothing lost', session, at(130, 110), 50],
    ['server says 12:30', told(session, 8, 60, 30), at(10, 110), 20],
    ['server says 12:30, in a repetition', told(session, 7, 60, 30), at(10, 110), 20],
    ['server says 14:00 for the same length: the length counts', told(session, 8, 60, 120), at(10, 110), 50],
    ['server says null: changes nothing', told(session, 8, 60, null), at(10, 110), 50],
    ['extended by 30 minutes', told(session, 8, 90, 90), at(10, 110), 80],
    ['extended before the server knows the end', told(session, 8, 90, null), at(10, 110), 80],
    ['extended twice', told(told(session, 8, 90, 90), 9, 120, 120), at(10, 110), 110],
    ['an extension in the same revision', told(session, 7, 90, 90), at(10, 110), 50],
    ['an extension in an older revision', told(session, 6, 90, 90), at(10, 110), 50],
    ['extended, then the older state again', told(told(session, 9, 90, 90), 8, 60, 60), at(10, 110), 50],
    ['shortened, then the older state again', told(told(session, 9, 60, 30), 8, 60, 60), at(10, 110), 20],
    ['shortened, then extended', told(told(session, 8, 60, 30), 9, 60, 50), at(10, 110), 40],
    ['extended, clock then set back 2 hours', told(session, 8, 90, 90), at(-110, 110), 80],
    ['extended, rebooted after 10 minutes, 5 minutes off', checkpointed(told(session, 8, 90, 90), at(10, 110)), at(16, 1, 'two'), 74],
    ['rebooted after 10 minutes, 5 minutes off', checkpointed(session, at(10, 110)), at(16, 1, 'two'), 44],
    ['rebooted without any checkpoint since the start', session, at(30, 1, 'two'), 30],
    ['rebooted after its end', session, at(61, 1, 'two'), -1],
    ['rebooted, clock then before the last checkpoint: ends', checkpointed(session, at(10, 110)), at(9, 1, 'two'), 0],
    ['rebooted with the clock reset to 1970: ends', session, at(-30_000_000, 1, 'two'), 0],
    [
      'clock set back 2 hours, checkpoint, rebooted: still counts what was used',
      checkpointed(session, at(-110, 110)),
      at(-105, 2, 'two'),
      45,
    ],
    ['rebooted twice, checkpoint between', checkpointed(checkpointed(session, at(10, 110)), at(20, 5, 'two')), at(31, 2, 'three'), 29],
    ['rebooted; uptime alone is longer than the rest', checkpointed(session, at(10, 110)), at(11, 200, 'two'), -150],
  ])('%s', (_name, deadline, now, minutes) => expect(remainingMs(deadline, now) / minute).toBe(minutes));
});

test('a checkpoint never moves the end, however the clocks go', () => {
  const steps = [at(5, 105), at(-200, 106), at(500, 107), at(-3, 108)];
  let moved = session;
  for (const step of steps) {
    expect(remainingMs(checkpointed(moved, step), step)).toBe(remainingMs(moved, step));
    moved = checkpointed(moved, step);
    expect(remainingMs(moved, step)).toBe(remainingMs(session, step));
  }
});

test('a checkpoint after a reboot with the clock set back does not forget that it was', () => {
  const before = checkpointed(session, at(10, 110));
  const setBack = at(-100, 1, 'two');
  expect(remainingMs(checkpointed(before, setBack), setBack)).toBe(0);
});

describe('an account may be activated until 12:02', () => {
  const by = noon + 2 * minute;
  test.each<[string, Reading, Reading, boolean]>([
    ['at once', at(0, 100), at(0, 100), true],
    ['just before', at(0, 100), at(1.9, 101.9), true],
    ['at the instant itself', at(0, 100), at(2, 102), false],
    ['clock set back after receipt', at(0, 100), at(-60, 103), false],
    ['clock set back, but in time', at(0, 100), at(-60, 101), true],
    ['rebooted in time', at(0, 100), at(1, 0.2, 'two'), true],
    ['rebooted too late', at(0, 100), at(3, 0.2, 'two'), false],
    ['received too late by the computer`s clock', at(3, 100), at(3, 100), false],
  ])('%s', (_name, received, now, allowed) => expect(mayActivate(by, received, now)).toBe(allowed));
});

test.each<[Reading, Reading, number]>([
  [at(0, 100), at(1, 101), 60],
  [at(0, 100), at(-60, 101), 60],
  [at(0, 100), at(1, 1, 'two'), 60],
  [at(0, 100), at(-5, 1, 'two'), 0],
])('seconds between two readings', (then, now, seconds) => expect(secondsBetween(then, now)).toBe(seconds));
