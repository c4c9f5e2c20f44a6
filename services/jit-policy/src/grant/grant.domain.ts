import { addSeconds, conflict, invalidInput, type Id } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';

export const activationSeconds = 120;
export const stuckAfterSeconds = 300;
/** Pause between two nudges about an end that the device has not reported. */
export const nudgeEverySeconds = 30;

export const grantStates = ['APPROVED', 'ACTIVE', 'ENDING', 'ENDED', 'END_STUCK', 'FAILED'] as const;
export type GrantState = (typeof grantStates)[number];
export type GrantEndReason = 'EXPIRED' | 'REVOKED' | 'LOGGED_OFF' | 'NOT_ACTIVATED' | 'IDLE' | 'ACCESS_REMOVED';
/** Why an agent ends a session by itself; the rest is the server's word, which it only follows. */
const agentsOwnReasons: readonly GrantEndReason[] = ['EXPIRED', 'LOGGED_OFF', 'NOT_ACTIVATED', 'IDLE'];
/** How long before its end a session is told, where it is long enough. */
const longestWarningSeconds = 300;

/** Who ended or changed a grant; null is the system, or the device by itself. */
export interface Person {
  kind: 'technician' | 'device' | 'client';
  id: Id;
}

/** What changed in one privileged group of the computer while the session lasted. */
export interface PrivilegedChange {
  groupName: string;
  added: string[];
  removed: string[];
}

/** A change of how long a session lasts. */
export interface GrantChange {
  id: Id;
  /** More, or less when negative. */
  seconds: number;
  at: Date;
  by: Id | null;
}

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
  /** Copied from the settings when it was approved. */
  idleEndSeconds: number;
  removeNewPrivileged: boolean;
  /** The technician's own proof; null for TOTP. */
  approval: ApprovalProof | null;
  /** The access rule that allowed it. */
  ruleId: Id | null;
  ruleName: string | null;
  /** The rule's maximum when it was approved. */
  ruleMaxSeconds: number;
  /** The longest that it may last in all, however it is extended: the rule's maximum, or less where people decided so. */
  maxSeconds: number;
  approvedAt: Date;
  activateBy: Date;
  activeAt: Date | null;
  expiresAt: Date | null;
  endingAt: Date | null;
  endRevision: number | null;
  endedAt: Date | null;
  endReason: GrantEndReason | null;
  endedBy: Person | null;
  privilegedChanges: readonly PrivilegedChange[];
  failure: string | null;
  nudgeAt: Date | null;
}

export type GrantCommand =
  /** The device reports that the account became active `secondsAgo` before now. */
  | { do: 'activate'; secondsAgo: number }
  | { do: 'end'; reason: GrantEndReason; revision: number; by: Person | null }
  /** Time passes. */
  | { do: 'tick'; revision: number }
  /**
   * The device read back that nothing runs for this grant any more: its sessions are gone and the account is disabled, or
   * enabled only for other grants. It had acted upon `revision`, or ended it by itself for `reason`.
   */
  | { do: 'see-ended'; revision: number; reason: GrantEndReason | null; secondsAgo: number; privileged: readonly PrivilegedChange[] }
  /** `seconds` more, as far as the grant and the rule as it is now (`maxSeconds`) allow. */
  | { do: 'extend'; seconds: number; maxSeconds: number }
  /** An earlier end. */
  | { do: 'shorten'; expiresAt: Date }
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
    | 'idleEndSeconds'
    | 'removeNewPrivileged'
    | 'approval'
    | 'ruleId'
    | 'ruleName'
    | 'maxSeconds'
    | 'ruleMaxSeconds'
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
    endedBy: null,
    privilegedChanges: [],
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

/** How long before its end a session of this length is told: 5 minutes, a quarter of a short one. */
export function warnSeconds(grant: Pick<Grant, 'sessionSeconds'>): number {
  return Math.min(longestWarningSeconds, Math.floor(grant.sessionSeconds / 4));
}

/** When the session is told of its end; null until it is active. */
export function warnAt(grant: Pick<Grant, 'sessionSeconds' | 'expiresAt'>): Date | null {
  return grant.expiresAt === null ? null : addSeconds(grant.expiresAt, -warnSeconds(grant));
}

/** The latest end that an extension can reach; null until it is active. */
export function extendableUntil(grant: Pick<Grant, 'activeAt' | 'maxSeconds'>): Date | null {
  return grant.activeAt === null ? null : addSeconds(grant.activeAt, grant.maxSeconds);
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
    case 'see-ended':
      return seeEnded(grant, command, now);
    case 'extend':
      return extended(grant, command, now);
    case 'shorten':
      return shortened(grant, command.expiresAt, now);
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

function end(grant: Grant, how: { reason: GrantEndReason; revision: number; by: Person | null }, now: Date): Grant {
  if (grant.state !== 'APPROVED' && grant.state !== 'ACTIVE') return grant;
  return {
    ...grant,
    state: 'ENDING',
    endingAt: now,
    endRevision: how.revision,
    endReason: how.reason,
    endedBy: how.by,
    nudgeAt: addSeconds(now, nudgeEverySeconds),
  };
}

function tick(grant: Grant, { revision }: { revision: number }, now: Date): Grant {
  if (grant.state === 'APPROVED' && !isLive(grant, now)) return end(grant, { revision, reason: 'NOT_ACTIVATED', by: null }, now);
  if (grant.state === 'ACTIVE' && !isLive(grant, now)) return end(grant, { revision, reason: 'EXPIRED', by: null }, now);
  if (!isEnding(grant) || grant.nudgeAt === null || now < grant.nudgeAt) return grant;
  const stuck = grant.endingAt !== null && now >= addSeconds(grant.endingAt, stuckAfterSeconds);
  return { ...grant, state: stuck ? 'END_STUCK' : 'ENDING', nudgeAt: addSeconds(now, nudgeEverySeconds) };
}

function seeEnded(
  grant: Grant,
  seen: { revision: number; reason: GrantEndReason | null; secondsAgo: number; privileged: readonly PrivilegedChange[] },
  now: Date,
): Grant {
  const at = later(grant.activeAt ?? grant.approvedAt, addSeconds(now, -Math.max(0, seen.secondsAgo)));
  // Revoking is the server's: an agent that says so only follows, and its revision must prove that it does.
  const byItself = seen.reason !== null && agentsOwnReasons.includes(seen.reason) ? seen.reason : null;
  const witnessed = seen.privileged.length > 0 ? { ...grant, privilegedChanges: seen.privileged } : grant;
  if (isEnding(grant)) {
    // What was seen before the device knew of the end proves nothing, unless the device itself had ended it.
    const proved = byItself !== null || (grant.endRevision !== null && seen.revision >= grant.endRevision);
    return proved ? ended(witnessed, at) : grant;
  }
  if (byItself !== null && (grant.state === 'APPROVED' || grant.state === 'ACTIVE'))
    return ended({ ...witnessed, endReason: byItself }, at);
  return grant;
}

function extended(grant: Grant, asked: { seconds: number; maxSeconds: number }, now: Date): Grant {
  if (!isLive(grant, now) || grant.activeAt === null) throw conflict('Only a session that is running can be extended. Log in again.');
  const longest = Math.min(grant.maxSeconds, asked.maxSeconds);
  const sessionSeconds = Math.min(sessionLength(grant) + asked.seconds, longest);
  if (sessionSeconds <= sessionLength(grant))
    throw conflict(`This session lasts as long as it may already (${longest} s). Log in again when it has ended.`);
  return { ...grant, sessionSeconds, expiresAt: addSeconds(grant.activeAt, sessionSeconds) };
}

function shortened(grant: Grant, expiresAt: Date, now: Date): Grant {
  if (!isLive(grant, now) || grant.activeAt === null || grant.expiresAt === null)
    throw conflict('Only a session that is running can be shortened. End it instead.');
  if (expiresAt <= now) throw invalidInput('expiresAt', 'expiresAt must lie ahead. To end it at once use endGrant.');
  if (expiresAt >= grant.expiresAt)
    throw invalidInput('expiresAt', `expiresAt must be before ${grant.expiresAt.toISOString()}, when it ends anyway.`);
  const sessionSeconds = Math.max(1, Math.floor((expiresAt.getTime() - grant.activeAt.getTime()) / 1000));
  // Whoever shortens it means it: its technician does not take that back.
  return { ...grant, sessionSeconds, expiresAt, maxSeconds: sessionSeconds };
}

/** From the moment when it became active to its end, which a late report may have brought closer. */
function sessionLength(grant: Pick<Grant, 'activeAt' | 'expiresAt' | 'sessionSeconds'>): number {
  if (grant.activeAt === null || grant.expiresAt === null) return grant.sessionSeconds;
  return Math.floor((grant.expiresAt.getTime() - grant.activeAt.getTime()) / 1000);
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
