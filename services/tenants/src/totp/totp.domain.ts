import { addSeconds, type Id } from '@stint/kernel';

/** Wrong codes about one subject. */
export interface Failures {
  count: number;
  windowBeganAt: Date;
  lockedUntil: Date | null;
}

/** How many wrong codes a subject bears, and what follows. */
export interface Limit {
  /** After so many the next try is locked. */
  most: number;
  /** Failures older than this are forgotten. */
  windowSeconds: number;
  /** First lock; it doubles with each further wrong code. */
  lockSeconds: number;
}

const longestLockSeconds = 3_600;

/**
 * The subjects of one try and their limits. The narrow ones stop guessing; the wide ones slow a spray over many people
 * or devices. A technician as such bears much, so that somebody who only knows an email address cannot lock a
 * technician out of devices that the technician stands in front of.
 */
export const limits = {
  /** This technician (or this unknown address) at this device. */
  technicianAtDevice: { most: 5, windowSeconds: 86_400, lockSeconds: 30 },
  /** This device, whoever is named. */
  device: { most: 20, windowSeconds: 86_400, lockSeconds: 30 },
  /** This technician at all devices together. */
  technician: { most: 50, windowSeconds: 3_600, lockSeconds: 30 },
  /** All devices of a tenant together. */
  tenant: { most: 200, windowSeconds: 3_600, lockSeconds: 30 },
} as const satisfies Record<string, Limit>;

/** A row of failures that began longer ago counts for nothing any more, whatever its limit. */
export const longestWindowSeconds = Math.max(...Object.values(limits).map(({ windowSeconds }) => windowSeconds));

/** No failures yet. */
export function noFailures(now: Date): Failures {
  return { count: 0, windowBeganAt: now, lockedUntil: null };
}

/** The instant before which no try is looked at, or null. */
export function lockedUntil(failures: Failures, now: Date): Date | null {
  return failures.lockedUntil !== null && failures.lockedUntil > now ? failures.lockedUntil : null;
}

/** The end of the longest lock among several subjects, or null. */
export function lockedUntilAny(several: readonly Failures[], now: Date): Date | null {
  const ends = several.flatMap((failures) => lockedUntil(failures, now) ?? []);
  return ends.toSorted((a, b) => b.getTime() - a.getTime())[0] ?? null;
}

/** One more wrong code. From the limit on it locks: 30 s, then twice as long each time, up to an hour. */
export function fail(failures: Failures, limit: Limit, now: Date): Failures {
  const over = addSeconds(failures.windowBeganAt, limit.windowSeconds) <= now;
  const { count, windowBeganAt } = over ? noFailures(now) : failures;
  const next = count + 1;
  if (next < limit.most) return { count: next, windowBeganAt, lockedUntil: null };
  const seconds = Math.min(limit.lockSeconds * 2 ** Math.min(next - limit.most, 20), longestLockSeconds);
  return { count: next, windowBeganAt, lockedUntil: addSeconds(now, seconds) };
}

/** Where a wrapped seed belongs: it opens nowhere else. */
export function seedPlace(mspId: Id, technicianId: Id): string {
  return `totp:${mspId}:${technicianId}`;
}
