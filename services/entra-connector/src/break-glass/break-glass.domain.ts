import type { LapsPolicy } from '@stint/contracts';
import { addSeconds, type Id } from '@stint/kernel';

/** Most break-glass accounts of one Entra tenant: one to use, one for the day on which that one does not work. */
export const mostAccounts = 2;
/** How often an account that needs nothing is looked at. */
export const checkSeconds = 3_600;
/** An answer of the vault that does not come is asked for again. */
export const offerAgainSeconds = 3_600;
/** The vault hears of each account so often at least: one that was restored from a backup learns of it again. */
export const tellAgainSeconds = 86_400;
/** For so long Entra is looked at after it said yes; then the password is set once more. */
export const lookSeconds = 300;

/** A break-glass account of an Entra tenant. */
export interface BreakGlassAccount {
  mspId: Id;
  tenantId: Id;
  id: Id;
  objectId: string;
  /** The Entra tenant that it is in; null, from before that was kept: where it is found next. */
  entraTenantId: string | null;
  userPrincipalName: string;
  displayName: string;
  registered: boolean;
  registeredAt: Date;
  version: number;
  toldAt: Date;
  /** The vault wants a password with this number; null: nothing is to be begun. */
  dueFence: number | null;
  vaultKey: { id: Id; publicKey: string } | null;
  policy: LapsPolicy | null;
  versionId: Id | null;
  passwordChangedAt: Date | null;
  tampered: boolean;
  problem: string | null;
  dueAt: Date | null;
  failures: number;
  changes: number;
  fence: number;
  leaseUntil: Date | null;
}

/** A new password on its way, without what opens it. */
export interface Candidate {
  mspId: Id;
  tenantId: Id;
  id: Id;
  accountId: Id;
  fence: number;
  state: 'OFFERED' | 'TAKEN' | 'SET';
  vaultKeyId: Id;
  enc: string;
  ciphertext: string;
  wrapped: Buffer;
  nextFence: number | null;
  calledAt: Date | null;
  changedBefore: Date | null;
}

/** What is to be done next about an account. */
export type Step = 'MAKE' | 'OFFER' | 'SET' | 'LOOK' | 'CHECK';

/**
 * The next step; null for an account that is not ours any more. A password is set only when the vault holds it, and set again until Entra
 * both said yes and shows that it was changed: to set the same one twice does no harm, to believe in a lost answer may.
 */
export function nextStep(
  account: Pick<BreakGlassAccount, 'registered' | 'dueFence'>,
  candidate: Pick<Candidate, 'state' | 'calledAt'> | null,
  now: Date,
): Step | null {
  if (!account.registered) return null;
  if (candidate === null) return account.dueFence === null ? 'CHECK' : 'MAKE';
  if (candidate.state === 'OFFERED') return 'OFFER';
  const isFresh = candidate.calledAt !== null && now < addSeconds(candidate.calledAt, lookSeconds);
  return candidate.state === 'SET' && isFresh ? 'LOOK' : 'SET';
}

/**
 * Whether Entra shows that the password was changed since `before` was read. Both times are Entra's own: no clock of ours is
 * compared with them. What Entra does not tell proves nothing.
 */
export function hasMoved(before: Date | null, after: Date | null): boolean {
  return after !== null && before?.getTime() !== after.getTime();
}

/** How long to wait after the n-th failure in a row. */
export function pauseSeconds(failures: number, retryAfterSeconds: number | null): number {
  return Math.max(retryAfterSeconds ?? 0, Math.min(5 * 2 ** Math.min(failures, 10), 900));
}

/** From the so many-th failure in a row on, one that may pass by itself is told, too. */
export const patientFailures = 5;

/** Where a wrapped password belongs: it opens nowhere else. */
export function candidatePlace({ mspId, tenantId, accountId, id }: Pick<Candidate, 'mspId' | 'tenantId' | 'accountId' | 'id'>): string {
  return `break-glass:${mspId}:${tenantId}:${accountId}:${id}`;
}
