import { z } from 'zod';
import { reading, type Reading } from './device-clock.ts';

/**
 * How much of a session was used at one moment. Written at activation and at least once a minute after, so that a
 * reboot or a changed clock gives back at most what lies between two of them.
 */
export const deadline = z.object({
  sessionMs: z.number().nonnegative(),
  /** The end that the server told. */
  expiresAtMs: z.number().nullable(),
  /** The revision of the desired state from which both were taken. */
  revision: z.number().int(),
  usedMs: z.number().nonnegative(),
  checkpoint: reading,
});
export type Deadline = z.infer<typeof deadline>;

/** What the server says about the length of a session, in the desired state of one revision. */
export interface Bounds {
  sessionSeconds: number;
  expiresAtMs: number | null;
  revision: number;
}

/** A session that starts at `at`. */
export function startDeadline({ sessionSeconds, expiresAtMs, revision }: Bounds, at: Reading): Deadline {
  return { sessionMs: sessionSeconds * 1000, expiresAtMs, revision, usedMs: 0, checkpoint: at };
}

/** How long the session has run at least: the system's own monotonic time, whatever the wall clock says. */
export function usedMs(of: Deadline, now: Reading): number {
  const since = now.bootId === of.checkpoint.bootId ? now.bootMs - of.checkpoint.bootMs : now.bootMs;
  return of.usedMs + Math.max(0, since);
}

/**
 * What is left of a session; zero or less means: end it. The earliest of all bounds that are known:
 * the session's length in monotonic time, the server's `expiresAt` by the wall clock, and, after a reboot, the wall
 * clock at which the last checkpoint would have ended. A clock that stands before the last checkpoint after a reboot
 * proves that it was set back: nobody knows how long the computer was off, so the session ends.
 */
export function remainingMs(of: Deadline, now: Reading): number {
  const bounds = [of.sessionMs - usedMs(of, now)];
  if (of.expiresAtMs !== null) bounds.push(of.expiresAtMs - now.wallMs);
  if (now.bootId !== of.checkpoint.bootId) {
    bounds.push(of.checkpoint.wallMs + of.sessionMs - of.usedMs - now.wallMs);
    if (now.wallMs < of.checkpoint.wallMs) bounds.push(0);
  }
  return Math.min(...bounds);
}

/** The same deadline seen from `now`; changes nothing about when it ends. */
export function checkpointed(of: Deadline, now: Reading): Deadline {
  // The clock was set back by a whole reboot: keep the proof of it.
  if (now.bootId !== of.checkpoint.bootId && now.wallMs < of.checkpoint.wallMs) return of;
  const used = Math.max(usedMs(of, now), of.sessionMs - remainingMs({ ...of, expiresAtMs: null }, now));
  return { ...of, usedMs: used, checkpoint: now };
}

/**
 * Takes what the server says now. Under a newer revision its word counts, an extension too; under the same or an older
 * one, which was heard before or is a repetition, bounds only shrink.
 */
export function revised(of: Deadline, { sessionSeconds, expiresAtMs, revision }: Bounds): Deadline {
  const told = { sessionMs: sessionSeconds * 1000, expiresAtMs: expiresAtMs ?? of.expiresAtMs };
  const isNewer = revision > of.revision;
  const sessionMs = isNewer ? told.sessionMs : Math.min(of.sessionMs, told.sessionMs);
  const ends = [of.expiresAtMs, told.expiresAtMs].filter((end) => end !== null);
  const end = isNewer ? told.expiresAtMs : ends.length === 0 ? null : Math.min(...ends);
  if (sessionMs === of.sessionMs && end === of.expiresAtMs && !isNewer) return of;
  return { ...of, sessionMs, expiresAtMs: end, revision: Math.max(of.revision, revision) };
}

/** Whether an account may still be activated: `activateBy` has not passed, by a clock that cannot have gone back since the order was received. */
export function mayActivate(activateByMs: number, receivedAt: Reading, now: Reading): boolean {
  const atLeast = now.bootId === receivedAt.bootId ? receivedAt.wallMs + (now.bootMs - receivedAt.bootMs) : receivedAt.wallMs;
  return Math.max(now.wallMs, atLeast) < activateByMs;
}

/** Whole seconds from `then` to `now`: monotonic within one boot, by the wall clock otherwise; never negative. */
export function secondsBetween(then: Reading, now: Reading): number {
  const ms = now.bootId === then.bootId ? now.bootMs - then.bootMs : now.wallMs - then.wallMs;
  return Math.max(0, Math.floor(ms / 1000));
}
