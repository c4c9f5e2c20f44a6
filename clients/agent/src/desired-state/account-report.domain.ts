import type { ObservedAccount } from '../accounts/account-driver.ts';
import type { Reading } from '../deadline/device-clock.ts';
import type { AccountRecord, GrantRecord, PendingReport } from '../state/agent-state.ts';
import type { NewReport } from '../state/memory.ts';
import type { Observed } from './plan.domain.ts';

/** The record of an account to which nothing has happened yet. */
export function newRecord(accountId: string): AccountRecord {
  return { accountId, name: null, uid: null, wanted: null, grants: {} };
}

/** Several system accounts may carry one mark (somebody copied a line): the least safe of them counts. */
export function worst(observed: readonly ObservedAccount[], accountId: string): Observed {
  const states = observed.filter((account) => account.accountId === accountId).map(({ state }) => state);
  if (states.length > 1 && states.some((state) => state !== 'DISABLED')) return 'PARTIAL';
  return states[0] ?? 'ABSENT';
}

/** What is told of one grant of an account. */
export function grantReport({ accountId, name }: AccountRecord, grant: GrantRecord, state: PendingReport['state']): NewReport {
  const { grantId, since: at, endReason, detail, privileged } = grant;
  const isOver = state !== 'ACTIVE';
  return { accountId, grantId, state, name, at, endReason: isOver ? endReason : null, detail, privileged: (isOver && privileged) || [] };
}

/** What is told of an account that is not on for any grant. */
export function accountReport(accountId: string, name: string | null, state: PendingReport['state'], at: Reading): NewReport {
  return { accountId, grantId: null, state, name, at, endReason: null, detail: null, privileged: [] };
}

/** All that is told of an account as it is now, whether or not something happened to it. */
export function snapshot(accountId: string, record: AccountRecord | undefined, observed: Observed, now: Reading): NewReport[] {
  const seen = observed === 'ENABLED' || observed === 'PARTIAL' ? 'ACTIVE' : observed;
  const grants = Object.values(record?.grants ?? {});
  if (!record || grants.length === 0) return [accountReport(accountId, record?.name ?? null, seen, now)];
  return grants.flatMap((grant) => {
    if (grant.phase === 'ENABLING') return [];
    if (grant.phase === 'ACTIVE' || grant.phase === 'ENDING') return [grantReport(record, grant, seen)];
    return [grantReport(record, grant, grant.phase === 'FAILED' ? 'FAILED' : observed === 'ABSENT' ? 'ABSENT' : 'DISABLED')];
  });
}

/** Accounts with Stint's mark that neither the server lists nor a grant here is live for. */
export function strayAccounts(
  observed: readonly ObservedAccount[],
  desiredIds: ReadonlySet<string>,
  records: Readonly<Record<string, AccountRecord>>,
): { accountId: string; name: string }[] {
  const isUsed = (id: string) => Object.values(records[id]?.grants ?? {}).some(({ phase }) => phase !== 'ENDED' && phase !== 'FAILED');
  return observed
    .filter(({ accountId }) => !desiredIds.has(accountId) && !isUsed(accountId))
    .map(({ accountId, name }) => ({ accountId, name }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What an error says, cut to the length of a report's detail. */
export function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
