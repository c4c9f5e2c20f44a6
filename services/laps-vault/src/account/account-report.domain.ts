import { invalidInput, type Id } from '@stint/kernel';
import type { Finding, LapsAccount } from './account.domain.ts';

/** What an agent sees of an account: what is left out does not hold any more. */
export interface AccountReport {
  problem: string | null;
  finding: Omit<Finding, 'seenAt'> | null;
  incident: 'TAMPERED' | 'ROLLED_BACK' | null;
  /** The version that is on the computer, as far as the agent knows. */
  versionId: Id | null;
}

const most = { list: 50, group: 64, use: 200, problem: 500 };

/** Refuses a report that is not what an agent finds. */
export function checkReport({ finding, problem }: AccountReport): void {
  if (problem !== null && line(problem, most.problem) === '') throw invalidInput('problem', 'problem must say something.');
  if (finding === null) return;
  if (!/^[0-9a-f]{64}$/.test(finding.digest)) throw invalidInput('finding.digest', 'digest must be a SHA-256 in lower-case hex.');
  if (finding.groups.length > most.list) throw invalidInput('finding.groups', `groups: ${most.list} at most.`);
  if (finding.uses.length > most.list) throw invalidInput('finding.uses', `uses: ${most.list} at most.`);
}

/** The account after a report, and what is new about it. Repeating a report changes nothing. */
export function afterReport(
  account: LapsAccount,
  { problem, finding, incident, versionId }: AccountReport,
  now: Date,
): { account: LapsAccount; isNew: { finding: boolean; incident: boolean } } {
  const text = problem === null ? null : line(problem, most.problem);
  const found =
    finding === null
      ? null
      : {
          ...{ digest: finding.digest, uid: finding.uid, lastLogOnAt: finding.lastLogOnAt, seenAt: now.toISOString() },
          ...{ groups: finding.groups.map((one) => line(one, most.group)), uses: finding.uses.map((one) => line(one, most.use)) },
        };
  const told = incident === null ? null : `${incident} ${versionId}`;
  const newIncident = told !== null && told !== account.incident;
  return {
    account: {
      ...account,
      ...{ problem: text, problemSince: text === null ? null : (account.problemSince ?? now), finding: found },
      takeOver: found !== null && account.takeOver === found.digest ? account.takeOver : null,
      ...(newIncident ? { incident: told, rotateAt: now } : {}),
    },
    isNew: { finding: found !== null && account.finding?.digest !== found.digest, incident: newIncident },
  };
}

/** The agent's words as one short line without control characters. */
function line(text: string, longest: number): string {
  return text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, longest)
    .toWellFormed();
}
