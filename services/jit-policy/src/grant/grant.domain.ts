import { addSeconds, conflict, invalidInput, type Id } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';
import type { DeviceTarget, EntraTarget, GrantTarget } from './grant-target.domain.ts';

/** How long after the approval the account must be active: a computer asks within seconds, Entra needs minutes to make an account and a role known. */
export const activationSeconds = { DEVICE: 120, ENTRA: 900 } as const;
export const stuckAfterSeconds = 300;
/** Pause between two reminders of an end that nobody has reported: a device may have missed a nudge, services/entra-connector tries by itself. */
export const nudgeEverySeconds = { DEVICE: 30, ENTRA: 300 } as const;

export const grantStates = ['APPROVED', 'ACTIVE', 'ENDING', 'ENDED', 'END_STUCK', 'FAILED'] as const;
export type GrantState = (typeof grantStates)[number];
export type GrantEndReason = 'EXPIRED' | 'REVOKED' | 'LOGGED_OFF' | 'NOT_ACTIVATED' | 'IDLE' | 'ACCESS_REMOVED';
/** Why an agent, or services/entra-connector, sees an end that is its own or the target's; the rest is the server's word, which they only follow. */
const ownReasons: Record<GrantTarget['kind'], readonly GrantEndReason[]> = {
  DEVICE: ['EXPIRED', 'LOGGED_OFF', 'NOT_ACTIVATED', 'IDLE'],
  ENTRA: ['EXPIRED', 'ACCESS_REMOVED'],
};
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

/** Permission for one technician to use one account on one target for a limited time. */
export interface Grant<Target extends GrantTarget = GrantTarget> {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  target: Target;
  state: GrantState;
  reason: string | null;
  ticket: string | null;
  sessionSeconds: number;
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

export type DeviceGrant = Grant<DeviceTarget>;
export type EntraGrant = Grant<EntraTarget>;

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
  /** The account could not be made or enabled. */
  | { do: 'fail'; why: string }
  /** Whoever takes the access away says that it fails, and tries on; `reason`: why it ends, where nobody has ended it yet. */
  | { do: 'see-stuck'; reason: GrantEndReason; revision: number };

/** A new grant; the account must become active within `activationSeconds`. */
export function approvedGrant<Target extends GrantTarget>(
  about: Pick<
    Grant<Target>,
    | 'mspId'
    | 'tenantId'
    | 'id'
    | 'technicianId'
    | 'target'
    | 'reason'
    | 'ticket'
    | 'sessionSeconds'
    | 'approval'
    | 'ruleId'
    | 'ruleName'
    | 'maxSeconds'
    | 'ruleMaxSeconds'
  >,
  now: Date,
): Grant<Target> {
  return {
    ...about,
    state: 'APPROVED',
    approvedAt: now,
    activateBy: addSeconds(now, activationSeconds[about.target.kind]),
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
  grant: Pick<Grant, 'approvedAt' | 'activateBy' | 'sessionSeconds'>,
  secondsAgo: number,
  now: Date,
): { activeAt: Date; expiresAt: Date } {
  const activeAt = later(grant.approvedAt, addSeconds(now, -Math.max(0, secondsAgo)));
  const longest = addSeconds(grant.activateBy, grant.sessionSeconds);
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

export function isOnDevice(grant: Grant): grant is DeviceGrant {
  return grant.target.kind === 'DEVICE';
}

export function isInEntra(grant: Grant): grant is EntraGrant {
  return grant.target.kind === 'ENTRA';
}

/** The grant after a command; the same object when the command changes nothing, so that doubled and late ones do nothing. */
export function decideGrant<One extends Grant>(grant: One, command: GrantCommand, now: Date): One {
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
      return wasNeverActive(grant) ? { ...grant, state: 'FAILED', failure: command.why, nudgeAt: null } : grant;
    case 'see-stuck': {
      const ending = end(grant, { ...command, by: null }, now);
      return ending.state === 'ENDING' ? { ...ending, state: 'END_STUCK' } : grant;
    }
  }
}

function activate<One extends Grant>(grant: One, secondsAgo: number, now: Date): One {
  if (grant.state !== 'APPROVED') return grant;
  const times = sessionTimes(grant, secondsAgo, now);
  // Too late: the sweep ends it as NOT_ACTIVATED.
  if (times.activeAt > grant.activateBy) return grant;
  return { ...grant, ...times, state: 'ACTIVE' };
}

function end<One extends Grant>(grant: One, how: { reason: GrantEndReason; revision: number; by: Person | null }, now: Date): One {
  if (grant.state !== 'APPROVED' && grant.state !== 'ACTIVE') return grant;
  return {
    ...grant,
    state: 'ENDING',
    endingAt: now,
    endRevision: how.revision,
    endReason: how.reason,
    endedBy: how.by,
    nudgeAt: addSeconds(now, nudgeEverySeconds[grant.target.kind]),
  };
}

function tick<One extends Grant>(grant: One, { revision }: { revision: number }, now: Date): One {
  if (grant.state === 'APPROVED' && !isLive(grant, now)) return end(grant, { revision, reason: 'NOT_ACTIVATED', by: null }, now);
  if (grant.state === 'ACTIVE' && !isLive(grant, now)) return end(grant, { revision, reason: 'EXPIRED', by: null }, now);
  if (!isEnding(grant) || grant.nudgeAt === null || now < grant.nudgeAt) return grant;
  const stuck = grant.endingAt !== null && now >= addSeconds(grant.endingAt, stuckAfterSeconds);
  return { ...grant, state: stuck ? 'END_STUCK' : 'ENDING', nudgeAt: addSeconds(now, nudgeEverySeconds[grant.target.kind]) };
}

function seeEnded<One extends Grant>(
  grant: One,
  seen: { revision: number; reason: GrantEndReason | null; secondsAgo: number; privileged: readonly PrivilegedChange[] },
  now: Date,
): One {
  const at = later(grant.activeAt ?? grant.approvedAt, addSeconds(now, -Math.max(0, seen.secondsAgo)));
  // Revoking is the server's: an agent that says so only follows, and its revision must prove that it does.
  const byItself = seen.reason !== null && ownReasons[grant.target.kind].includes(seen.reason) ? seen.reason : null;
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

function extended<One extends Grant>(grant: One, asked: { seconds: number; maxSeconds: number }, now: Date): One {
  if (!isLive(grant, now) || grant.activeAt === null) throw conflict('Only a session that is running can be extended. Log in again.');
  const longest = Math.min(grant.maxSeconds, asked.maxSeconds);
  const sessionSeconds = Math.min(sessionLength(grant) + asked.seconds, longest);
  if (sessionSeconds <= sessionLength(grant))
    throw conflict(`This session lasts as long as it may already (${longest} s). Log in again when it has ended.`);
  return { ...grant, sessionSeconds, expiresAt: addSeconds(grant.activeAt, sessionSeconds) };
}

function shortened<One extends Grant>(grant: One, expiresAt: Date, now: Date): One {
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

function ended<One extends Grant>(grant: One, at: Date): One {
  return { ...grant, state: 'ENDED', endedAt: at, nudgeAt: null };
}

/** Waits to become active, or has waited too long. */
function wasNeverActive(grant: Grant): boolean {
  return grant.state === 'APPROVED' || (isEnding(grant) && grant.endReason === 'NOT_ACTIVATED');
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
