import { addSeconds } from '@stint/kernel';
import type { LapsAccount } from './account.domain.ts';

const jitter = 0.1;
const leastPerMinute = 60;
const hour = 3600;
/** A FORMER password is kept so long at least, whatever the settings say (safety rule I6). */
export const historyDays = 90;
/** No account's password is changed more often than this on request. */
export const leastSecondsBetweenRequests = 60;

/**
 * When a password that was confirmed at `confirmedAt` is to be changed. The first change comes anywhere within the
 * interval, so that computers that were set up together do not change together ever after; later ones after the interval,
 * give or take a tenth. `chance` is a random number from 0 to 1.
 */
export function nextDueAt(confirmedAt: Date, intervalSeconds: number, isFirst: boolean, chance: number): Date {
  const part = isFirst ? chance : 1 - jitter + 2 * jitter * chance;
  return addSeconds(confirmedAt, Math.max(1, Math.round(intervalSeconds * part)));
}

/**
 * How many planned changes of an MSP may begin in one minute: twice the mean of a quiet day, and never less than 60. After
 * an outage, or when LAPS is switched on for everybody, the rest waits for a later check-in.
 */
export function changesPerMinute(meanPerMinute: number): number {
  return Math.max(leastPerMinute, Math.ceil(2 * meanPerMinute));
}

/** After which time a planned change is late enough to tell somebody. */
export function graceSeconds(intervalSeconds: number): number {
  return Math.max(hour, Math.round(intervalSeconds / 4));
}

/** Whether a change was asked for, and its time has come: it passes at once. */
export function isAsked({ rotateAt }: Pick<LapsAccount, 'rotateAt'>, now: Date): boolean {
  return rotateAt !== null && rotateAt <= now;
}

/** Whether a change is planned for now, or the account has no password yet: it passes as the pace allows. */
export function isPlanned({ confirmedAt, dueAt }: Pick<LapsAccount, 'confirmedAt' | 'dueAt'>, now: Date): boolean {
  return confirmedAt === null || (dueAt !== null && dueAt <= now);
}

/** Whether the last confirmed password is older than it should ever be, or the first one does not come. */
export function isOverdue(
  { wanted, confirmedAt, dueAt, createdAt }: Pick<LapsAccount, 'wanted' | 'confirmedAt' | 'dueAt' | 'createdAt'>,
  intervalSeconds: number,
  now: Date,
): boolean {
  if (!wanted) return false;
  if (confirmedAt === null) return addSeconds(createdAt, intervalSeconds) <= now;
  return dueAt !== null && addSeconds(dueAt, graceSeconds(intervalSeconds)) <= now;
}

/** When a change that is asked for now may happen: not twice within a minute. */
export function askedAt(confirmedAt: Date | null, wantedAt: Date): Date {
  if (confirmedAt === null) return wantedAt;
  const earliest = addSeconds(confirmedAt, leastSecondsBetweenRequests);
  return earliest > wantedAt ? earliest : wantedAt;
}
