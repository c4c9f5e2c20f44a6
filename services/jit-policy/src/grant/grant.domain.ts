import { addSeconds, type Id } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';

export const activationSeconds = 120;
export const stuckAfterSeconds = 300;
/** Pause between two nudges about an end that the device has not reported. */
export const nudgeEverySeconds = 30;

export const grantStates = ['APPROVED', 'ACTIVE', 'ENDING', 'ENDED', 'END_STUCK', 'FAILED'] as const;
export type GrantState = (typeof grantStates)[number];
export type GrantEndReason = 'EXPIRED' | 'REVOKED' | 'LOGGED_OFF' | 'NOT_ACTIVATED' | 'ACCESS_REMOVED';

/** Permission for one technician to use one account on one device for a limited time. */
export interface Grant {
  mspId: Id;
  tenantId: Id;
  id: Id;
  loginRequestId: Id;
  deviceId: Id;
  technicianId: Id;
  accountId: Id;
  accountName: string;
  state: GrantState;
  reason: string | null;
  ticket: string | null;
  sessionSeconds: number;
  /** The technician's own proof; null for TOTP. */
  approval: ApprovalProof | null;
  /** The access rule that allowed it. */
  ruleId: Id | null;
  ruleName: string | null;
  /** The longest that it may last in all. */
  maxSeconds: number;
  approvedAt: Date;
  activateBy: Date;
  activeAt: Date | null;
  expiresAt: Date | null;
  endingAt: Date | null;
  endRevision: number | null;
  endedAt: Date | null;
  endReason: GrantEndReason | null;
  failure: string | null;
  nudgeAt: Date | null;
}

export type GrantCommand =
  /** The device reports that the account became active `secondsAgo` before now. */
  | { do: 'activate'; secondsAgo: number }
  /** `carried`: another grant is ACTIVE on the same account, which therefore stays enabled. */
  | { do: 'end'; reason: GrantEndReason; revision: number; carried: boolean }
  /** Time passes. */
  | { do: 'tick'; revision: number; carried: boolean }
  /** The device read back that the account cannot be used; it had acted upon `revision`, or ended it by itself for `reason`. */
  | { do: 'see-disabled'; revision: number; reason: GrantEndReason | null; secondsAgo: number }
  /** Another grant became ACTIVE on the same account. */
  | { do: 'see-carried' }
  /** The device could not make or enable the account. */
  | { do: 'fail'; why: string };

/** A new grant; the account must become active within 120 seconds. */
export function approvedGrant(
  about: Pick<
    Grant,
    | 'mspId'
    | 'tenantId'
    | 'id'
    | 'loginRequestId'
    | 'deviceId'
    | 'technicianId'
    | 'accountId'
    | 'accountName'
    | 'reason'
    | 'ticket'
    | 'sessionSeconds'
    | 'approval'
    | 'ruleId'
    | 'ruleName'
    | 'maxSeconds'
  >,
  now: Date,
): Grant {
  return {
    ...about,
    state: 'APPROVED',
    approvedAt: now,
    activateBy: addSeconds(now, activationSeconds),
    activeAt: null,
    expiresAt: null,
    endingAt: null,
    endRevision: null,
    endedAt: null,
    endReason: null,
    failure: null,
    nudgeAt: null,
  };
}

/** When a session that became active `secondsAgo` before `now` began and ends. It never began before its approval, and no report, however late, lengthens it. */
export function sessionTimes(
  grant: Pick<Grant, 'approvedAt' | 'sessionSeconds'>,
  secondsAgo: number,
  now: Date,
): { activeAt: Date; expiresAt: Date } {
  const activeAt = later(grant.approvedAt, addSeconds(now, -Math.max(0, secondsAgo)));
  const longest = addSeconds(grant.approvedAt, activationSeconds + grant.sessionSeconds);
  return { activeAt, expiresAt: earlier(addSeconds(activeAt, grant.sessionSeconds), longest) };
}

/** May the account be enabled for this grant at `now`? What the stored state says, and no sweep has to have run. */
export function isLive(grant: Pick<Grant, 'state' | 'activateBy' | 'expiresAt'>, now: Date): boolean {
  if (grant.state === 'APPROVED') return now < grant.activateBy;
  return grant.state === 'ACTIVE' && grant.expiresAt !== null && now < grant.expiresAt;
}

/** Not over yet: live, or its end not yet seen. */
export function isOpen(grant: Pick<Grant, 'state'>): boolean {
  return grant.state !== 'ENDED' && grant.state !== 'FAILED';
}

/** Among a technician's grants on one account: is it carried by an ACTIVE one besides `grant`? */
export function isCarried(grant: Pick<Grant, 'id'>, ofAccount: readonly Grant[], now: Date): boolean {
  return ofAccount.some((other) => other.id !== grant.id && other.state === 'ACTIVE' && isLive(other, now));
}

/** The grant after a command; the same object when the command changes nothing, so that doubled and late ones do nothing. */
export function decideGrant(grant: Grant, command: GrantCommand, now: Date): Grant {
  switch (command.do) {
    case 'activate':
      return activate(grant, command.secondsAgo, now);
    case 'end':
      return end(grant, command, now);
    case 'tick':
      return tick(grant, command, now);
    case 'see-disabled':
      return seeDisabled(grant, command, now);
    case 'see-carried':
      return isEnding(grant) ? ended(grant, now) : grant;
    case 'fail':
      return grant.state === 'APPROVED' ? { ...grant, state: 'FAILED', failure: command.why } : grant;
  }
}

function activate(grant: Grant, secondsAgo: number, now: Date): Grant {
  if (grant.state !== 'APPROVED') return grant;
  const times = sessionTimes(grant, secondsAgo, now);
  // Too late: the sweep ends it as NOT_ACTIVATED.
  if (times.activeAt > grant.activateBy) return grant;
  return { ...grant, ...times, state: 'ACTIVE' };
}

function end(grant: Grant, how: { reason: GrantEndReason; revision: number; carried: boolean }, now: Date): Grant {
  if (grant.state !== 'APPROVED' && grant.state !== 'ACTIVE') return grant;
  const ending: Grant = {
    ...grant,
    state: 'ENDING',
    endingAt: now,
    endRevision: how.revision,
    endReason: how.reason,
    nudgeAt: addSeconds(now, nudgeEverySeconds),
  };
  // The account is not to be disabled: the grant that carries it answers for its end.
  return how.carried ? ended(ending, now) : ending;
}

function tick(grant: Grant, how: { revision: number; carried: boolean }, now: Date): Grant {
  if (grant.state === 'APPROVED' && !isLive(grant, now)) return end(grant, { ...how, reason: 'NOT_ACTIVATED' }, now);
  if (grant.state === 'ACTIVE' && !isLive(grant, now)) return end(grant, { ...how, reason: 'EXPIRED' }, now);
  if (!isEnding(grant) || grant.nudgeAt === null || now < grant.nudgeAt) return grant;
  const stuck = grant.endingAt !== null && now >= addSeconds(grant.endingAt, stuckAfterSeconds);
  return { ...grant, state: stuck ? 'END_STUCK' : 'ENDING', nudgeAt: addSeconds(now, nudgeEverySeconds) };
}

function seeDisabled(grant: Grant, seen: { revision: number; reason: GrantEndReason | null; secondsAgo: number }, now: Date): Grant {
  const at = later(grant.activeAt ?? grant.approvedAt, addSeconds(now, -Math.max(0, seen.secondsAgo)));
  // Revoking is the server's: an agent that says so only follows, and its revision must prove that it does.
  const byItself = seen.reason === 'REVOKED' || seen.reason === 'ACCESS_REMOVED' ? null : seen.reason;
  if (isEnding(grant)) {
    // What was seen before the device knew of the end proves nothing, unless the device itself had ended it.
    const proved = byItself !== null || (grant.endRevision !== null && seen.revision >= grant.endRevision);
    return proved ? ended(grant, at) : grant;
  }
  if (byItself !== null && (grant.state === 'APPROVED' || grant.state === 'ACTIVE')) return ended({ ...grant, endReason: byItself }, at);
  return grant;
}

function ended(grant: Grant, at: Date): Grant {
  return { ...grant, state: 'ENDED', endedAt: at, nudgeAt: null };
}

function isEnding(grant: Grant): boolean {
  return grant.state === 'ENDING' || grant.state === 'END_STUCK';
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
