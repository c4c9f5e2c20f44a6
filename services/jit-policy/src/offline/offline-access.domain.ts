import { addSeconds, type Id } from '@stint/kernel';
import { sessionSecondsBy, type Decision } from '../access/access.domain.ts';
import type { Account } from '../device-state/desired-state.domain.ts';
import type { TechnicianCopy } from '../directory/directory.domain.ts';

/** How many technicians one computer is prepared for at most. */
export const maxPrepared = 200;
export const validSeconds = 14 * 86_400;

/** One technician who may log in on a device while it cannot reach us. */
export interface OfflineAccess {
  deviceId: Id;
  technicianId: Id;
  email: string;
  displayName: string;
  accountId: Id;
  accountName: string;
  sessionSeconds: number;
  idleEndSeconds: number;
  requireReason: boolean;
  requireTicket: boolean;
  validUntil: Date;
}

/** A technician whom the rules let log in here without anybody asking anybody. */
export interface Allowed {
  technician: TechnicianCopy;
  decision: Decision;
}

/** Those who may log in offline: allowed now and without the yes of others, active, and with TOTP. */
export function allowedOffline(technicians: readonly TechnicianCopy[], decide: (technician: TechnicianCopy) => Decision): Allowed[] {
  return technicians
    .filter(({ active, totpEnrolled }) => active && totpEnrolled)
    .map((technician) => ({ technician, decision: decide(technician) }))
    .filter(({ decision }) => mayOffline(decision));
}

/** Without the server nobody else can be asked. */
export function mayOffline(decision: Pick<Decision, 'allowed' | 'approvals'>): boolean {
  return decision.allowed && decision.approvals === 0;
}

/** At most `maxPrepared` of them: who used the computer last comes first, and then by address. */
export function firstOf(allowed: readonly Allowed[], lastUse: ReadonlyMap<Id, Date>): Allowed[] {
  const used = ({ technician }: Allowed) => lastUse.get(technician.id)?.getTime() ?? 0;
  return allowed.toSorted((a, b) => used(b) - used(a) || (a.technician.email < b.technician.email ? -1 : 1)).slice(0, maxPrepared);
}

/** What the device is told of one technician and their account. */
export function offlineAccess(
  { technician, decision }: Allowed,
  account: Account,
  defaults: { sessionSeconds: number; idleEndSeconds: number },
  now: Date,
): OfflineAccess {
  return {
    deviceId: account.deviceId,
    technicianId: technician.id,
    email: technician.email,
    displayName: technician.displayName,
    accountId: account.id,
    accountName: account.name,
    sessionSeconds: sessionSecondsBy(decision, null, defaults.sessionSeconds),
    idleEndSeconds: defaults.idleEndSeconds,
    requireReason: decision.requireReason,
    requireTicket: decision.requireTicket,
    validUntil: addSeconds(now, validSeconds),
  };
}
