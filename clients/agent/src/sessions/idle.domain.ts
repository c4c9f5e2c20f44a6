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

/** Whether nothing has changed for `idleEndSeconds` of monotonic time (suspend counts); null: the grant never ends for that. */
export function isIdle(activity: Activity | undefined, idleEndSeconds: number | null, now: Reading): boolean {
  if (activity === undefined || idleEndSeconds === null || activity.since.bootId !== now.bootId) return false;
  return now.bootMs - activity.since.bootMs >= idleEndSeconds * 1000;
}
