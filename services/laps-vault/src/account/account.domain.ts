import type { LapsSettings } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { DeviceCopy } from '../directory/directory.domain.ts';

export type LapsAccountKind = 'LOCAL' | 'DOMAIN' | 'ENTRA';

/** An account that is not ours, as the agent saw it. */
export interface Finding {
  digest: string;
  uid: number | null;
  lastLogOnAt: string | null;
  groups: string[];
  uses: string[];
  seenAt: string;
}

/** A break-glass account. */
export interface LapsAccount {
  mspId: Id;
  tenantId: Id;
  id: Id;
  /** Null for an account in Entra. */
  deviceId: Id | null;
  kind: LapsAccountKind;
  name: string;
  /** Wanted by the settings as they are now. */
  wanted: boolean;
  /** The number that the next escrowed password must carry. */
  fence: number;
  dueAt: Date | null;
  /** Asked for before its time. */
  rotateAt: Date | null;
  problem: string | null;
  problemSince: Date | null;
  finding: Finding | null;
  takeOver: string | null;
  /** What happened to it last outside of Stint, and to which version; null once a password was confirmed since. */
  incident: string | null;
  confirmedAt: Date | null;
  revealedAt: Date | null;
  alarmedAt: Date | null;
  createdAt: Date;
}

export type LapsAccountState = 'WAITING' | 'FOUND' | 'CONFIRMED' | 'UNSURE' | 'STUCK' | 'OFF';

/** How an account stands; `unsure` when one of several passwords is the right one. */
export function stateOf(account: LapsAccount, unsure: boolean): LapsAccountState {
  if (!account.wanted) return 'OFF';
  if (mustAskFirst(account)) return 'FOUND';
  if (account.problem !== null) return 'STUCK';
  if (unsure) return 'UNSURE';
  return account.confirmedAt === null ? 'WAITING' : 'CONFIRMED';
}

/** Somebody must say yes before the agent touches what it found under the name. */
export function mustAskFirst({ finding, takeOver }: Pick<LapsAccount, 'finding' | 'takeOver'>): boolean {
  return finding !== null && takeOver !== finding.digest;
}

/** The break-glass accounts that a device must have where these settings hold: local ones on all but domain controllers, domain ones only there. */
export function accountsWanted(
  device: Pick<DeviceCopy, 'kind' | 'active'>,
  settings: LapsSettings,
): { kind: LapsAccountKind; name: string }[] {
  if (!device.active) return [];
  if (device.kind === 'DOMAIN_CONTROLLER') return settings.domainEnabled ? [{ kind: 'DOMAIN', name: settings.domainAccountName }] : [];
  return settings.localEnabled ? [{ kind: 'LOCAL', name: settings.localAccountName }] : [];
}
