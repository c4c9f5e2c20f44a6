// as: libs/kernel/src/lease.spec.ts
import { expect, test } from '@jest/globals';
import { FakeClock, eventually } from '@stint/testing';
import { lease } from './lease.ts';

test('a lease ends', async () => {
  const clock = new FakeClock();
  const held = lease(clock, 60);
  clock.advance(61);
  await eventually(() => expect(held.ended).toBe(true), { timeoutMs: 1000 });
});
