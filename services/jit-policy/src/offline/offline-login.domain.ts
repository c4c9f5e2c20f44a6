import { addSeconds, invalidInput, isId, type Id, type Problem } from '@stint/kernel';
import type { Decision } from '../access/access.domain.ts';
import type { Account } from '../device-state/desired-state.domain.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { approvedGrant, isOnDevice, type DeviceGrant, type Grant } from '../grant/grant.domain.ts';
import { loginLifeSeconds, type LoginRequest } from '../login/login.domain.ts';
import { mayOffline } from './offline-access.domain.ts';

export const maxLogins = 100;
const longestSession = 28_800;
const mostFailures = 1_000_000;

/** A login that a device decided by itself. */
export interface OfflineLogin {
  id: Id;
  grantId: Id;
  technicianId: Id;
  accountId: Id;
  secondsAgo: number;
  sessionSeconds: number;
  reason?: string | null | undefined;
  ticket?: string | null | undefined;
}

/** Wrong codes that locked somebody out at a device; `technicianId` null: several people, or some whom the device does not know. */
export interface OfflineLock {
  id: Id;
  technicianId?: Id | null | undefined;
  failures: number;
  secondsAgo: number;
}

/** What the reports of a device are held against. */
export interface Known {
  accounts: ReadonlyMap<Id, Account>;
  /** Technicians who belong to the device's tenant or to one above it, hold a role there, or own one of the accounts. */
  technicians: ReadonlyMap<Id, TechnicianCopy>;
  logins: ReadonlyMap<Id, LoginRequest>;
  grants: ReadonlyMap<Id, Grant>;
}

/** Refuses what cannot be looked up, before anything is. */
export function checkShape(logins: readonly OfflineLogin[], locks: readonly OfflineLock[]): void {
  if (logins.length > maxLogins) throw invalidInput('logins', `At most ${maxLogins} logins at once.`);
  if (locks.length > maxLogins) throw invalidInput('locks', `At most ${maxLogins} locks at once.`);
  logins.forEach((login, index) => {
    const at = (field: string) => `logins.${index}.${field}`;
    for (const field of ['id', 'grantId'] as const)
      if (!isId(login[field])) throw invalidInput(at(field), `${field} must be a UUIDv7 in its canonical lower-case form.`);
    if (!isId(login.accountId)) throw notHere(at('accountId'));
    if (!isId(login.technicianId)) throw notHere(at('technicianId'));
    if (login.secondsAgo < 0) throw invalidInput(at('secondsAgo'), 'secondsAgo must not be negative.');
    if (login.sessionSeconds < 1) throw invalidInput(at('sessionSeconds'), 'sessionSeconds must be at least 1.');
  });
  locks.forEach(({ id, technicianId, failures, secondsAgo }, index) => {
    const at = (field: string) => `locks.${index}.${field}`;
    if (!isId(id)) throw invalidInput(at('id'), 'id must be a UUIDv7 in its canonical lower-case form.');
    if (technicianId != null && !isId(technicianId)) throw notHere(at('technicianId'));
    if (failures < 1 || failures > mostFailures) throw invalidInput(at('failures'), 'failures must be how many wrong codes there were.');
    if (secondsAgo < 0) throw invalidInput(at('secondsAgo'), 'secondsAgo must not be negative.');
  });
  for (const field of ['id', 'grantId'] as const)
    if (new Set(logins.map((login) => login[field])).size < logins.length)
      throw invalidInput('logins', `Each login has a ${field} of its own.`);
}

/** Refuses a batch as a whole when one of it is not about this device; answers the logins that were not taken before. */
export function newLogins(device: DeviceCopy, logins: readonly OfflineLogin[], known: Known): OfflineLogin[] {
  return logins.filter((login, index) => {
    const at = (field: string) => `logins.${index}.${field}`;
    const before = known.logins.get(login.id);
    const grant = known.grants.get(login.grantId);
    const same = before?.method === 'OFFLINE' && before.deviceId === device.id && grant !== undefined && isOfLogin(grant, login);
    if (before !== undefined && same) return false;
    if (before !== undefined) throw invalidInput(at('id'), 'This id is taken by another login.');
    if (grant !== undefined) throw invalidInput(at('grantId'), 'This id is taken by another grant.');
    const account = known.accounts.get(login.accountId);
    if (account === undefined) throw notHere(at('accountId'));
    const owned = account.technicianId === null || account.technicianId === login.technicianId;
    if (!owned || !known.technicians.has(login.technicianId)) throw notHere(at('technicianId'));
    return true;
  });
}

function isOfLogin(grant: Grant, login: OfflineLogin): boolean {
  return isOnDevice(grant) && grant.target.loginRequestId === login.id;
}

/** The same words for an id that is none, one of nothing, and one of somebody else's. */
function notHere(field: string): Problem {
  return invalidInput(field, 'It must be an account of this device, and the technician whose account it is.');
}

/** When a login of the device began. */
export function beganAt(login: Pick<OfflineLogin, 'secondsAgo'>, now: Date): Date {
  return addSeconds(now, -login.secondsAgo);
}

/** What is wrong with a login by the rules as they are now. */
export interface Objections {
  /** Why it must end at once, in words; null when it is allowed. */
  denied: string | null;
  /** How long the device made it, where that is longer than it may be; null otherwise. */
  cutFrom: number | null;
  /** What the rule demands and was not given at the computer. */
  missing: ('reason' | 'ticket')[];
}

/** Looks at a login that happened by the rules as they are now; hours by the time at which it began. */
export function objections(login: OfflineLogin, technician: TechnicianCopy, decision: Decision): Objections {
  const denied = !decision.allowed
    ? decision.why
    : !mayOffline(decision)
      ? 'The access rule demands the approval of other people.'
      : !technician.totpEnrolled
        ? 'The technician has no TOTP any more.'
        : null;
  const missing = [
    ...(decision.requireReason && words(login.reason, 500) === null ? (['reason'] as const) : []),
    ...(decision.requireTicket && words(login.ticket, 100) === null ? (['ticket'] as const) : []),
  ];
  return { denied, cutFrom: login.sessionSeconds > longestBy(decision) ? login.sessionSeconds : null, missing };
}

/** The login request as if we had been asked: approved when it began. */
export function offlineRequest(
  login: OfflineLogin,
  device: DeviceCopy,
  about: { tenantName: string; sessionSeconds: number },
  now: Date,
): LoginRequest {
  const startedAt = beganAt(login, now);
  return {
    mspId: device.mspId,
    tenantId: device.tenantId,
    id: login.id,
    deviceId: device.id,
    method: 'OFFLINE',
    state: 'APPROVED',
    failure: null,
    codeHash: null,
    // Nothing was shown to compare.
    shownNumber: '00',
    hostName: device.hostName,
    tenantName: about.tenantName,
    sessionSeconds: about.sessionSeconds,
    startedAt,
    expiresAt: addSeconds(startedAt, loginLifeSeconds),
    accountKinds: ['LOCAL'],
    accountKind: 'LOCAL',
    domainObstacle: null,
    askedTechnicianId: null,
  };
}

/** The grant as the device saw it: active since the session began. */
export function offlineGrant(
  login: OfflineLogin,
  account: Account,
  decision: Decision,
  settings: { idleEndSeconds: number; removeNewPrivileged: boolean },
  now: Date,
): DeviceGrant {
  const activeAt = beganAt(login, now);
  const sessionSeconds = Math.min(login.sessionSeconds, longestBy(decision));
  const approved = approvedGrant(
    {
      mspId: account.mspId,
      tenantId: account.tenantId,
      id: login.grantId,
      technicianId: login.technicianId,
      target: {
        ...{ kind: 'DEVICE', deviceId: account.deviceId, loginRequestId: login.id },
        ...{ accountId: account.id, accountName: account.name },
        ...settings,
      },
      reason: words(login.reason, 500),
      ticket: words(login.ticket, 100),
      sessionSeconds,
      approval: null,
      ruleId: decision.ruleId,
      ruleName: decision.ruleName,
      ruleMaxSeconds: decision.maxSeconds,
      maxSeconds: Math.max(decision.maxSeconds, sessionSeconds),
    },
    activeAt,
  );
  return { ...approved, state: 'ACTIVE', activeAt, expiresAt: addSeconds(activeAt, sessionSeconds) };
}

/** The longest session that the rule allows; without a rule it ends at once anyway. */
function longestBy({ maxSeconds }: Pick<Decision, 'maxSeconds'>): number {
  return maxSeconds > 0 ? maxSeconds : longestSession;
}

/** What somebody typed at the computer, as one line: it happened, so it is not refused for its form. */
function words(typed: string | null | undefined, max: number): string | null {
  const line = (typed ?? '')
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, max)
    .toWellFormed();
  return line === '' ? null : line;
}
