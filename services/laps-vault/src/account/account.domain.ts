import type { LapsSettings } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { DeviceCopy } from '../directory/directory.domain.ts';

export type LapsAccountKind = 'LOCAL' | 'DOMAIN';

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
  deviceId: Id;
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
  finding: Finding | null;
  takeOver: string | null;
  confirmedAt: Date | null;
  revealedAt: Date | null;
  alarmedAt: Date | null;
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
