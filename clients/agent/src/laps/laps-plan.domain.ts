import type { LapsFinding, SeenLapsAccount } from './laps-driver.ts';
import type { LapsRecord } from './laps-journal.ts';
import type { DesiredLapsAccount } from './laps-server.ts';

export type LapsStep =
  | { do: 'NOTHING' }
  /** It cannot go on: somebody must be told why. */
  | { do: 'TELL'; problem: string | null; finding: LapsFinding | null }
  /** Something happened to the account outside of Stint: `versionId` is what the computer holds, as far as is known. */
  | { do: 'ALARM'; incident: 'TAMPERED' | 'ROLLED_BACK'; versionId: string | null }
  | { do: 'TAKE_OVER' }
  /** Bring the change that is under way to its end. */
  | { do: 'SETTLE' }
  | { do: 'ROTATE' }
  | { do: 'ARRANGE' };

export interface LapsSituation {
  desired: DesiredLapsAccount;
  seen: SeenLapsAccount;
  record: LapsRecord | undefined;
  /** The incident that was told last, as `alarmOf` writes it. */
  alarmed: string | undefined;
}

/** One incident of one version, as a word. */
export function alarmOf({ incident, versionId }: { incident: string; versionId: string | null }): string {
  return `${incident} ${versionId}`;
}

/**
 * The next step for one break-glass account. What was begun is ended before anything new begins; what happened outside of
 * Stint is told before it is put right; and what is not ours is not touched before somebody said yes to just that.
 */
export function planLaps({ desired, seen, record, alarmed }: LapsSituation): LapsStep {
  if (desired.kind === 'DOMAIN') return { do: 'TELL', problem: 'This agent cannot keep domain accounts yet.', finding: null };
  if (seen.is === 'REFUSED') return { do: 'TELL', problem: seen.problem, finding: null };
  if (seen.is === 'FOREIGN') {
    if (desired.takeOver === seen.finding.digest) return { do: 'TAKE_OVER' };
    return { do: 'TELL', problem: null, finding: seen.finding };
  }
  if (record?.open) return { do: 'SETTLE' };
  const incident = incidentOf(desired, seen, record);
  if (incident && alarmOf(incident) !== alarmed) return { do: 'ALARM', ...incident };
  if (desired.rotate) return { do: 'ROTATE' };
  if (record?.held && seen.is === 'OURS' && !seen.inOrder) return { do: 'ARRANGE' };
  return { do: 'NOTHING' };
}

function incidentOf(
  { currentVersionId }: DesiredLapsAccount,
  seen: SeenLapsAccount,
  record: LapsRecord | undefined,
): { incident: 'TAMPERED' | 'ROLLED_BACK'; versionId: string | null } | null {
  const held = record?.held ?? null;
  // Also when the memory is gone: then nobody here knows which one is on the computer.
  if (currentVersionId !== (held?.versionId ?? null)) return { incident: 'ROLLED_BACK', versionId: held?.versionId ?? null };
  if (!held) return null;
  const same = seen.is === 'OURS' && seen.hashDigest === held.hashDigest;
  return same ? null : { incident: 'TAMPERED', versionId: held.versionId };
}
