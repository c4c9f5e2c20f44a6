import { invalidInput, isId, type Id } from '@stint/kernel';
import type { Grant, GrantCommand, GrantEndReason, PrivilegedChange } from '../grant/grant.domain.ts';
import type { Account } from './desired-state.domain.ts';

export const maxReports = 100;
const maxDetail = 500;
const accountNamePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const maxChanges = 50;
const maxNames = 200;

/** One account, or one grant on it, as the agent read it back. With a `grantId` it tells of that grant alone: the account may be enabled for others. */
export interface AccountReport {
  accountId: Id;
  grantId?: Id | null | undefined;
  state: 'ACTIVE' | 'DISABLED' | 'ABSENT' | 'FAILED';
  name?: string | null | undefined;
  secondsAgo: number;
  endReason?: GrantEndReason | null | undefined;
  detail?: string | null | undefined;
  privileged?: readonly PrivilegedChange[] | null | undefined;
}

/** An account with Stint's mark that belongs to nobody. */
export interface StrayAccount {
  accountId: Id;
  name: string;
  foundAt: Date;
}

/** Refuses a batch of reports as a whole when one of them is about something that is not this device's, or breaks a rule. */
export function checkReports(
  revision: number,
  reports: readonly AccountReport[],
  accounts: ReadonlyMap<Id, Account>,
  grants: ReadonlyMap<Id, { target: { accountId: Id } }>,
): void {
  if (revision < 0) throw invalidInput('revision', 'revision must be one that desiredState has answered.');
  if (reports.length > maxReports) throw invalidInput('reports', `At most ${maxReports} reports at once.`);
  reports.forEach((report, index) => {
    const at = (field: string) => `reports.${index}.${field}`;
    if (!isId(report.accountId) || !accounts.has(report.accountId))
      throw invalidInput(at('accountId'), 'accountId must be an account of the desired state of this device.');
    if (report.grantId != null && grants.get(report.grantId)?.target.accountId !== report.accountId) {
      throw invalidInput(at('grantId'), 'grantId must be a grant on this account of this device.');
    }
    if (report.secondsAgo < 0) throw invalidInput(at('secondsAgo'), 'secondsAgo must not be negative.');
    const changes = report.privileged ?? [];
    if (changes.length > maxChanges || changes.some(({ added, removed }) => added.length + removed.length > maxNames))
      throw invalidInput(at('privileged'), `privileged must tell of at most ${maxChanges} groups with ${maxNames} names each.`);
    if (report.name != null && !accountNamePattern.test(report.name))
      throw invalidInput(at('name'), 'name must be an account name of 1 to 64 characters.');
  });
}

/** Refuses strays as a whole when one of them is not what an agent finds. */
export function checkStrays(strays: readonly { accountId: Id; name: string }[]): void {
  if (strays.length > maxReports) throw invalidInput('strays', `At most ${maxReports} strays at once.`);
  strays.forEach(({ accountId, name }, index) => {
    if (!isId(accountId)) throw invalidInput(`strays.${index}.accountId`, "accountId must be the id in the account's mark.");
    if (!accountNamePattern.test(name)) throw invalidInput(`strays.${index}.name`, 'name must be an account name of 1 to 64 characters.');
  });
}

/**
 * What a report means for one of the account's grants; null for nothing. `revision` is the one that the agent acted upon.
 * What is told of a grant is about that grant; what is told of the account as a whole is about all of them.
 */
export function commandOf(report: AccountReport, grant: Pick<Grant, 'id' | 'state'>, revision: number): GrantCommand | null {
  if (report.grantId != null && report.grantId !== grant.id) return null;
  const { secondsAgo } = report;
  const meant = report.grantId === grant.id;
  const ended = { do: 'see-ended', revision, secondsAgo, privileged: printable(report.privileged ?? []) } as const;
  switch (report.state) {
    case 'ACTIVE':
      return meant ? { do: 'activate', secondsAgo } : null;
    case 'FAILED':
      if (meant && grant.state === 'APPROVED') return { do: 'fail', why: failureText(report.detail) };
      // What could not be enabled is not enabled: as good as ended for an end that waits to be seen.
      return { ...ended, reason: null };
    case 'DISABLED':
    case 'ABSENT':
      return { ...ended, reason: meant ? (report.endReason ?? null) : null };
  }
}

/** The agent's words as one short line without control characters. */
export function failureText(detail: string | null | undefined): string {
  const line = (detail ?? '')
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line === '' ? 'The computer could not make the account.' : line.slice(0, maxDetail).toWellFormed();
}

/** Names from the computer, without what a log or a page could trip over. */
function printable(changes: readonly PrivilegedChange[]): PrivilegedChange[] {
  // By whole characters: half of one cannot be stored.
  const clean = (name: string) => [...name.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, '?')].slice(0, 256).join('');
  return changes.map(({ groupName, added, removed }) => ({
    groupName: clean(groupName),
    added: added.map(clean),
    removed: removed.map(clean),
  }));
}
