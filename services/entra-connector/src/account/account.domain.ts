import { createHash } from 'node:crypto';
import type { EntraAccountKind } from '@stint/contracts';
import { addSeconds, type Id } from '@stint/kernel';
import type { Pass } from '../graph/passes.port.ts';
import type { RoleAssignment } from '../graph/roles.port.ts';
import type { DirectoryUser, UserRef } from '../graph/users.port.ts';

export type AccountState = 'ABSENT' | 'DISABLED' | 'ENABLED' | 'DELETED';

/** An account in a customer's Entra tenant, as far as we know it. */
export interface EntraAccount {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: EntraAccountKind;
  /** Null: a stray, found by its mark, or one that was left behind; it is only taken away. */
  technicianId: Id | null;
  marker: string | null;
  objectId: string | null;
  userPrincipalName: string | null;
  state: AccountState;
  seenAt: Date | null;
  createdAt: Date | null;
  rolesChangedAt: Date | null;
  prefix: string;
  nameAttempt: number;
  /** A creation was asked for then, and nobody saw what came of it. */
  creatingSince: Date | null;
  mayBeEnabled: boolean;
  /** When Entra said last that it was switched on, or off. */
  switchedAt: Date | null;
  sessionsOpen: boolean;
  passwordKnown: boolean;
  removeNotBefore: Date | null;
  purgeRefusedAt: Date | null;
  restsSince: Date | null;
  restDays: number;
  discard: boolean;
  /** The former Entra tenant in which it was left, when another one was connected: what is here of it says nothing there. */
  leftIn: string | null;
  problem: string | null;
  dueAt: Date | null;
  ending: boolean;
  failures: number;
  changes: number;
  fence: number;
  leaseUntil: Date | null;
}

/** What one look at Entra showed of an account, kept up to date by what was done since. */
export interface Sighting {
  user: Pick<DirectoryUser, 'id' | 'userPrincipalName' | 'enabled' | 'createdAt'> | null;
  /** It is in the recycle bin. */
  inBin: boolean;
  roles: RoleAssignment[];
  passes: Pick<Pass, 'id' | 'usable' | 'usability'>[];
  /** Nothing was changed since it was read, so that it proves something. */
  fresh: boolean;
  /** Why nothing may be given to an account that is not ours: whether it is the technician’s is uncertain. Null: it is certain. */
  doubt: string | null;
  /** Taking its role away would leave the tenant without a Global Administrator. */
  lastAdministrator: boolean;
}

/** Entra shows what is new, and hides what is gone, within so long. */
export const settlesSeconds = 300;

/** The built-in role that a tenant must not be without; the same id everywhere. */
export const globalAdministratorId = '62e90394-69f5-4237-9190-012177145e10';

/** What the marks of all accounts of one tenant of Stint begin with: another MSP's Stint in the same Entra tenant has its own. */
export function markerPrefix(tenantId: Id): string {
  return `stint${digits(tenantId, 5)}`;
}

/** An account's mark in `employeeId`, which takes 16 characters. */
export function markerOf(tenantId: Id, accountId: Id): string {
  return `${markerPrefix(tenantId)}${digits(accountId, 6)}`;
}

/** Whether an `employeeId` is the mark of an account that Stint has made, whichever tenant's. */
export function bearsMark(marker: string | null | undefined): boolean {
  return /^stint[a-z2-7]{11}$/.test(marker ?? '');
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

function digits(id: Id, count: number): string {
  const digest = createHash('sha256').update(id).digest();
  return Array.from(digest.subarray(0, count), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** Entra may still show it as it was before: what was said to be done is not done again so soon. */
export function isSwitching({ switchedAt }: EntraAccount, now: Date): boolean {
  return switchedAt !== null && now < addSeconds(switchedAt, switchesSeconds);
}

const switchesSeconds = 60;

/** The account as calls name it; null before it is known. */
export function refOf({ objectId, createdAt, rolesChangedAt }: EntraAccount): UserRef | null {
  return objectId === null ? null : { id: objectId, createdAt, rolesChangedAt };
}
