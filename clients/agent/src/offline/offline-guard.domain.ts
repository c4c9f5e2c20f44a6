import { z } from 'zod';
import { reading, type Reading } from '../deadline/device-clock.ts';

/** Wrong codes in a row for one technician, and for all together, before waiting begins. */
export const freeFailures = 5;
export const freeFailuresOfDevice = 20;
/** Wrong codes in a row after which a technician's secret is wiped from this computer. */
export const failuresUntilWiped = 50;

const shortestLockMs = 30_000;
const longestLockMs = 3_600_000;
/** What a clock may be corrected by without being called set back. */
const clockToleranceMs = 60_000;

/** What is remembered of the tries of one technician here (or of all). It only leaves a try with more caution than it found. */
export const offlineGuard = z.object({
  lastStep: z.number().int().nullable(),
  failures: z.number().int().nonnegative(),
  lock: z.object({ ms: z.number(), since: reading }).nullable(),
});
export type OfflineGuard = z.infer<typeof offlineGuard>;

export const noTries: OfflineGuard = { lastStep: null, failures: 0, lock: null };

/** A wrong code: from `free` in a row on, the next try waits 30 s, 60 s, … up to an hour. */
export function afterFailure(guard: OfflineGuard, free: number, now: Reading): OfflineGuard {
  const failures = guard.failures + 1;
  const ms = Math.min(longestLockMs, shortestLockMs * 2 ** Math.min(failures - free, 20));
  return { ...guard, failures, lock: failures < free ? null : { ms, since: now } };
}

/** A right code: its step and all before it are used up. */
export function afterSuccess(guard: OfflineGuard, step: number): OfflineGuard {
  return { lastStep: Math.max(step, guard.lastStep ?? 0), failures: 0, lock: null };
}

/**
 * How long no try is taken yet. Counted by the time that the computer has been running, suspend included; the wall clock
 * plays no part, so neither setting it nor a reboot shortens the wait: after one, only the time since then counts.
 */
export function lockedForMs({ lock }: OfflineGuard, now: Reading): number {
  if (!lock) return 0;
  const waited = now.bootId === lock.since.bootId ? now.bootMs - lock.since.bootMs : now.bootMs;
  return Math.max(0, lock.ms - waited);
}

/** Whether the clock stands before a time that it is known to have passed, the last contact with the server or a later look at it. */
export function isSetBack(known: Reading | null, now: Reading): boolean {
  if (!known) return false;
  const atLeast = known.wallMs + (now.bootId === known.bootId ? Math.max(0, now.bootMs - known.bootMs) : 0);
  return now.wallMs < atLeast - clockToleranceMs;
}
