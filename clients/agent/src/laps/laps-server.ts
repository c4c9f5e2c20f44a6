import type { LapsPasswordPolicy, Sealed } from '@stint/crypto';
import type { LapsFinding } from './laps-driver.ts';

/** A break-glass account as the vault wants it. */
export interface DesiredLapsAccount {
  id: string;
  kind: 'LOCAL' | 'DOMAIN';
  name: string;
  enabled: boolean;
  /** Its password must be changed now. */
  rotate: boolean;
  fence: number;
  /** The version that the vault holds for the one on the computer. */
  currentVersionId: string | null;
  /** The finding that may be taken over. */
  takeOver: string | null;
  policy: LapsPasswordPolicy;
}

export interface LapsState {
  revision: number;
  /** Null when nothing has changed since the known revision. */
  accounts: DesiredLapsAccount[] | null;
  vaultKey: { id: string; publicKey: string } | null;
  /** The device's tenant: passwords are bound to it. */
  tenantId: string;
}

export interface Escrow {
  accountId: string;
  versionId: string;
  fence: number;
  keyId: string;
  sealed: Sealed;
}

export interface LapsReport {
  accountId: string;
  problem: string | null;
  finding: LapsFinding | null;
  incident: 'TAMPERED' | 'ROLLED_BACK' | null;
  versionId: string | null;
}

/**
 * What the agent needs of the vault. `STALE`: another change has gone before. Whatever is thrown means that there was no
 * usable answer and that the call may be repeated as it is; `Refused` that it must not.
 */
export interface LapsServer {
  state(knownRevision: number | null): Promise<LapsState>;
  /** Hands a sealed password over before it is set; once TAKEN, the vault has it. */
  escrow(change: Escrow): Promise<'TAKEN' | 'STALE'>;
  /** Tells which version was read back on the computer. */
  confirm(accountId: string, versionId: string): Promise<'CONFIRMED' | 'STALE'>;
  report(report: LapsReport): Promise<void>;
}
