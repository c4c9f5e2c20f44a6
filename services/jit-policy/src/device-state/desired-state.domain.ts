import type { Id } from '@stint/kernel';
import { isLive, isOpen, type Grant } from '../grant/grant.domain.ts';

/** A JIT account of one technician on one device. */
export interface Account {
  mspId: Id;
  tenantId: Id;
  id: Id;
  deviceId: Id;
  technicianId: Id;
  name: string;
  displayName: string;
  passwordLength: number;
  lastUsedAt: Date;
  absentSince: Date | null;
  removedAt: Date | null;
}

/** What one account must look like on its device. */
export interface DesiredAccount {
  id: Id;
  name: string;
  displayName: string;
  state: 'ENABLED' | 'DISABLED' | 'ABSENT';
  grantId: Id | null;
  loginRequestId: Id | null;
  sessionSeconds: number | null;
  activateBy: Date | null;
  expiresAt: Date | null;
  passwordLength: number;
}

/** The live grant that enables the account: the newest, for it is the one that somebody waits for at the computer. */
export function enablingGrant(grants: readonly Grant[], now: Date): Grant | null {
  const live = grants.filter((grant) => isLive(grant, now));
  return live.reduce<Grant | null>((newest, grant) => (newest === null || grant.id > newest.id ? grant : newest), null);
}

/** What the account must look like at `now`, from its open grants. */
export function desiredAccount(account: Account, grants: readonly Grant[], now: Date): DesiredAccount {
  const grant = enablingGrant(grants, now);
  return {
    id: account.id,
    name: account.name,
    displayName: account.displayName,
    state: grant !== null ? 'ENABLED' : account.absentSince !== null ? 'ABSENT' : 'DISABLED',
    grantId: grant?.id ?? null,
    loginRequestId: grant?.loginRequestId ?? null,
    sessionSeconds: grant?.sessionSeconds ?? null,
    activateBy: grant?.activateBy ?? null,
    expiresAt: grant?.expiresAt ?? null,
    passwordLength: account.passwordLength,
  };
}

/** Seconds until the agent should ask again without a nudge: sooner while something is going on. */
export function checkInSeconds(grants: readonly Pick<Grant, 'state'>[]): number {
  return grants.some(isOpen) ? 30 : 60;
}
