import { expect, test } from '@jest/globals';
import { FakeClock } from '@stint/testing';
import { ReplayGuard } from './replay-guard.ts';

test('an id counts once for as long as the window, wherever in it the first use was', () => {
  for (const start of [0, 1, 60, 119]) {
    const clock = new FakeClock();
    const guard = new ReplayGuard(120, clock);
    clock.advance(start);
    expect(guard.once('a')).toBe(true);
    for (let second = 0; second < 120; second += 7) {
      expect(guard.once('a')).toBe(false);
      clock.advance(7);
    }
  }
});

test('ids are forgotten in the end', () => {
  const clock = new FakeClock();
  const guard = new ReplayGuard(120, clock);
  guard.once('a');
  clock.advance(241);
  expect(guard.once('a')).toBe(true);
});

test('when its memory is full it refuses, and lets nothing through unseen', () => {
  const clock = new FakeClock();
  const guard = new ReplayGuard(120, clock);
  for (let i = 0; i < 500_000; i++) guard.once(String(i));
  expect(() => guard.once('one more')).toThrow('Too many requests');
  expect(guard.once('7')).toBe(false);
  clock.advance(120);
  expect(guard.once('one more')).toBe(true);
});
