import type { Id } from '@stint/kernel';
import { isLive, isOpen, warnSeconds, type DeviceGrant, type Grant } from '../grant/grant.domain.ts';

/** A JIT account on one device: of one technician, or shared by all (`technicianId` null). */
export interface Account {
  mspId: Id;
  tenantId: Id;
  id: Id;
  deviceId: Id;
  technicianId: Id | null;
  name: string;
  displayName: string;
  passwordLength: number;
  lastUsedAt: Date;
  absentSince: Date | null;
  removedAt: Date | null;
  /** Chosen ahead for offline logins and never used: no part of the desired state. */
  prepared: boolean;
}

/** One grant that enables an account, as the device is told. */
export interface DesiredGrant {
  grantId: Id;
  loginRequestId: Id;
  sessionSeconds: number;
  activateBy: Date;
  expiresAt: Date | null;
  idleEndSeconds: number;
  warnSeconds: number;
}

/** What one account must look like on its device. Several grants may enable it at once; each ends by itself. */
export interface DesiredAccount {
  id: Id;
  name: string;
  displayName: string;
  state: 'ENABLED' | 'DISABLED' | 'ABSENT';
  grants: DesiredGrant[];
  passwordLength: number;
  removeNewPrivileged: boolean;
}

/** What the account must look like at `now`, from its open grants. */
export function desiredAccount(account: Account, grants: readonly DeviceGrant[], now: Date): DesiredAccount {
  const live = grants.filter((grant) => isLive(grant, now));
  return {
    id: account.id,
    name: account.name,
    displayName: account.displayName,
    state: live.length > 0 ? 'ENABLED' : account.absentSince !== null ? 'ABSENT' : 'DISABLED',
    grants: live.map((grant) => ({
      grantId: grant.id,
      loginRequestId: grant.target.loginRequestId,
      sessionSeconds: grant.sessionSeconds,
      activateBy: grant.activateBy,
      expiresAt: grant.expiresAt,
      idleEndSeconds: grant.target.idleEndSeconds,
      warnSeconds: warnSeconds(grant),
    })),
    passwordLength: account.passwordLength,
    // Also of grants that are to end: it is at their end that the device acts upon it.
    removeNewPrivileged: grants.some((grant) => isOpen(grant) && grant.target.removeNewPrivileged),
  };
}

/** Seconds until the agent should ask again without a nudge: sooner while something is going on. */
export function checkInSeconds(grants: readonly Pick<Grant, 'state'>[]): number {
  return grants.some(isOpen) ? 30 : 60;
}
