import { addSeconds, type Id } from '@stint/kernel';
import type { Version } from '../account/version.domain.ts';

export type Certainty = 'CONFIRMED' | 'CANDIDATE' | 'FORMER';

/** How many reveals one technician may make. Break-glass is for one computer at a time. */
const limits = [
  { seconds: 60, most: 10 },
  { seconds: 3600, most: 60 },
] as const;
export const longestLimitSeconds = 3600;

/** So many different accounts read by one technician in so short a time raise an alarm. */
export const massReveal = { accounts: 20, seconds: 600 } as const;
/** For how long the same call again is the same reveal. */
export const repeatSeconds = 600;

/** When the next reveal may be made, after reveals at `times`; null for now. */
export function limitedUntil(times: readonly Date[], now: Date): Date | null {
  const newestFirst = [...times].sort((a, b) => b.getTime() - a.getTime());
  const free = limits
    .map(({ seconds, most }) => {
      const oldest = newestFirst[most - 1];
      return oldest === undefined ? null : addSeconds(oldest, seconds);
    })
    .filter((at) => at !== null && at > now);
  return free.reduce((latest, at) => (latest === null || (at !== null && at > latest) ? at : latest), null);
}

/** True when the newest of these reveals makes it so many different accounts that somebody should look. */
export function isMassReveal(before: readonly { at: Date; accountId: Id }[], accountId: Id, now: Date): boolean {
  const read = new Set(before.filter(({ at }) => addSeconds(at, massReveal.seconds) > now).map((one) => one.accountId));
  return !read.has(accountId) && read.size === massReveal.accounts - 1;
}

const certaintyOf = { CURRENT: 'CONFIRMED', PENDING: 'CANDIDATE', CANDIDATE: 'CANDIDATE', FORMER: 'FORMER' } as const;
const rank = { CONFIRMED: 0, CANDIDATE: 1, FORMER: 2 } as const;

/** The passwords to show, most likely first: the one read back, those that may have taken its place, and on request the former ones. */
export function candidatesOf<Kept extends Pick<Version, 'state' | 'fence'>>(
  versions: readonly Kept[],
  withHistory: boolean,
): { version: Kept; certainty: Certainty }[] {
  return versions
    .map((version) => ({ version, certainty: certaintyOf[version.state] }))
    .filter(({ certainty }) => withHistory || certainty !== 'FORMER')
    .sort((a, b) => rank[a.certainty] - rank[b.certainty] || b.version.fence - a.version.fence);
}
