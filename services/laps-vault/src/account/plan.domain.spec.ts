import { describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { askedAt, changesPerMinute, graceSeconds, isOverdue, nextDueAt } from './plan.domain.ts';

const now = new Date('2026-11-24T00:00:00Z');
const day = 86_400;

describe('when the next change is planned', () => {
  test.each<[boolean, number, number]>([
    [true, 0, 1],
    [true, 0.5, day / 2],
    [true, 1, day],
    [false, 0, 0.9 * day],
    [false, 0.5, day],
    [false, 1, 1.1 * day],
  ])('first %p, chance %d: after %d s', (isFirst, chance, seconds) =>
    expect(nextDueAt(now, day, isFirst, chance)).toEqual(addSeconds(now, seconds)),
  );
});

test.each([
  [3600, 3600],
  [14_400, 3600],
  [day, day / 4],
])('an interval of %d s is overdue after %d s', (interval, grace) => {
  expect(graceSeconds(interval)).toBe(grace);
  const account = { wanted: true, confirmedAt: now, dueAt: now, createdAt: now };
  expect(isOverdue(account, interval, addSeconds(now, grace - 1))).toBe(false);
  expect(isOverdue(account, interval, addSeconds(now, grace))).toBe(true);
  expect(isOverdue({ ...account, wanted: false }, interval, addSeconds(now, grace))).toBe(false);
  expect(isOverdue({ ...account, confirmedAt: null, dueAt: null }, interval, addSeconds(now, interval))).toBe(true);
});

test('what is asked for happens at once, and not twice within a minute', () => {
  expect(askedAt(null, now)).toEqual(now);
  expect(askedAt(addSeconds(now, -10), now)).toEqual(addSeconds(now, 50));
  expect(askedAt(addSeconds(now, -61), now)).toEqual(now);
});

/** A repeatable stand-in for chance (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('100,000 devices, switched on at once, over three days with an outage of six hours in the second', () => {
  const devices = 100_000;
  const minutes = 3 * 1440;
  const limit = changesPerMinute(devices / 1440);
  const outage = { from: 1440 + 600, to: 1440 + 960 };
  const chance = random(7);
  // When each is due, in minutes; a device is asked every minute whether its time has come, and let through at the pace.
  const due = new Float64Array(devices);
  const isFirst = new Uint8Array(devices).fill(1);
  const changes = new Uint32Array(minutes);
  const overdue = new Uint32Array(minutes);
  const waiting: number[] = Array.from({ length: devices }, (_, device) => device);
  const later: number[][] = Array.from({ length: minutes + 1 }, () => []);
  for (let minute = 0; minute < minutes; minute++) {
    for (const device of later[minute] ?? []) waiting.push(device);
    overdue[minute] = waiting.length;
    if (minute >= outage.from && minute < outage.to) continue;
    // Whoever asks first in a minute: nobody keeps a queue.
    for (let slot = 0; slot < limit && waiting.length > 0; slot++) {
      const at = Math.floor(chance() * waiting.length);
      const device = waiting[at] as number;
      waiting[at] = waiting.at(-1) as number;
      waiting.pop();
      changes[minute] = (changes[minute] ?? 0) + 1;
      const start = new Date(minute * 60_000);
      due[device] = nextDueAt(start, day, isFirst[device] === 1, chance()).getTime() / 60_000;
      isFirst[device] = 0;
      later[Math.min(minutes, Math.ceil(due[device]))]?.push(device);
    }
  }
  const sum = (from: number, to: number) => changes.subarray(from, to).reduce((total, one) => total + one, 0);

  test('no minute has more than twice the mean', () => {
    expect(limit).toBe(Math.ceil((2 * devices) / 1440));
    expect(Math.max(...changes)).toBeLessThanOrEqual(limit);
  });

  test('all have their first password within a day', () => expect(sum(0, 1440)).toBeGreaterThanOrEqual(devices));

  test('an outage leaves a quarter of a day undone, which is caught up within ten hours', () => {
    expect(sum(outage.from, outage.to)).toBe(0);
    expect(overdue[outage.to]).toBeGreaterThan(devices / 5);
    expect(Math.max(...overdue.subarray(outage.to + 600))).toBeLessThan(10 * limit);
  });
});
