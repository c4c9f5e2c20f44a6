import { invalidInput, isId, type Id } from '@stint/kernel';
import type { Grant, GrantCommand, GrantEndReason } from '../grant/grant.domain.ts';
import type { Account } from './desired-state.domain.ts';

export const maxReports = 100;
const maxDetail = 500;

/** One account as the agent read it back. */
export interface AccountReport {
  accountId: Id;
  grantId?: Id | null | undefined;
  state: 'ACTIVE' | 'DISABLED' | 'ABSENT' | 'FAILED';
  name?: string | null | undefined;
  secondsAgo: number;
  endReason?: GrantEndReason | null | undefined;
  detail?: string | null | undefined;
}

/** Refuses a batch of reports as a whole when one of them is about something that is not this device's, or breaks a rule. */
export function checkReports(
  revision: number,
  reports: readonly AccountReport[],
  accounts: ReadonlyMap<Id, Account>,
  grants: ReadonlyMap<Id, Pick<Grant, 'accountId'>>,
): void {
  if (revision < 0) throw invalidInput('revision', 'revision must be one that desiredState has answered.');
  if (reports.length > maxReports) throw invalidInput('reports', `At most ${maxReports} reports at once.`);
  reports.forEach((report, index) => {
    const at = (field: string) => `reports.${index}.${field}`;
    if (!isId(report.accountId) || !accounts.has(report.accountId))
      throw invalidInput(at('accountId'), 'accountId must be an account of the desired state of this device.');
    if (report.grantId != null && grants.get(report.grantId)?.accountId !== report.accountId) {
      throw invalidInput(at('grantId'), 'grantId must be a grant on this account of this device.');
    }
    if (report.secondsAgo < 0) throw invalidInput(at('secondsAgo'), 'secondsAgo must not be negative.');
    if (report.name != null && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(report.name))
      throw invalidInput(at('name'), 'name must be an account name of 1 to 64 characters.');
  });
}

/** What a report means for one of the account's grants; null for nothing. `revision` is the one that the agent acted upon. */
export function commandOf(report: AccountReport, grant: Pick<Grant, 'id' | 'state'>, revision: number): GrantCommand | null {
  const meant = report.grantId === grant.id;
  const { secondsAgo } = report;
  switch (report.state) {
    case 'ACTIVE':
      return meant ? { do: 'activate', secondsAgo } : null;
    case 'FAILED':
      if (meant && grant.state === 'APPROVED') return { do: 'fail', why: failureText(report.detail) };
      // What could not be enabled is not enabled: as good as disabled for an end that waits to be seen.
      return { do: 'see-disabled', revision, reason: null, secondsAgo };
    case 'DISABLED':
    case 'ABSENT': {
      // Who logs off leaves the account, and with it every session that was active on it before. Never a later one:
      // the report may be a late copy.
      const left = report.endReason === 'LOGGED_OFF' && grant.state === 'ACTIVE' && report.grantId != null && grant.id < report.grantId;
      return { do: 'see-disabled', revision, reason: meant || left ? (report.endReason ?? null) : null, secondsAgo };
    }
  }
}

/** The agent's words as one short line without control characters. */
export function failureText(detail: string | null | undefined): string {
  const line = (detail ?? '')
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line === '' ? 'The computer could not make the account.' : line.slice(0, maxDetail);
}
