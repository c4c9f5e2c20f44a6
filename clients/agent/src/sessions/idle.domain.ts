import type { Reading } from '../deadline/device-clock.ts';

/** What was last seen of a grant's sessions, and since when it has looked the same. */
export interface Activity {
  /** Changes whenever something is typed or done; compared for equality only. */
  seen: string;
  since: Reading;
}

/**
 * Notes what is seen now. Only *that* it changed counts, never what a time stamp in it says: so a clock that jumps neither
 * ends nor lengthens a session. A reboot has ended every session; what is seen after it begins anew.
 */
export function observed(before: Activity | undefined, seen: string, now: Reading): Activity {
  return before !== undefined && before.seen === seen && before.since.bootId === now.bootId ? before : { seen, since: now };
}

/** For how long nothing has changed, in milliseconds of monotonic time (suspend counts); null: not known in this boot. */
export function idleMs(activity: Activity | undefined, now: Reading): number | null {
  return activity === undefined || activity.since.bootId !== now.bootId ? null : now.bootMs - activity.since.bootMs;
}

/** Whether nothing has changed for `idleEndSeconds`; null: the grant never ends for that. */
export function isIdle(activity: Activity | undefined, idleEndSeconds: number | null, now: Reading): boolean {
  const ms = idleMs(activity, now);
  return ms !== null && idleEndSeconds !== null && ms >= idleEndSeconds * 1000;
}
