import type { ObservedAccount } from '../accounts/account-driver.ts';
import type { Reading } from '../deadline/device-clock.ts';
import type { AccountRecord, PendingReport } from '../state/agent-state.ts';
import type { NewReport } from '../state/memory.ts';
import type { Observed } from './plan.domain.ts';

/** The record of an account to which nothing has happened yet. */
export function newRecord(accountId: string, now: Reading): AccountRecord {
  const nothing = { name: null, uid: null, grantId: null, loginRequestId: null, deadline: null, endReason: null, detail: null };
  return { accountId, phase: 'ENDED', since: now, ...nothing };
}

/** Several system accounts may carry one mark (somebody copied a line): the least safe of them counts. */
export function worst(observed: readonly ObservedAccount[], accountId: string): Observed {
  const states = observed.filter((account) => account.accountId === accountId).map(({ state }) => state);
  if (states.length > 1 && states.some((state) => state !== 'DISABLED')) return 'PARTIAL';
  return states[0] ?? 'ABSENT';
}

/** What is told of an account for its newest grant. */
export function report(record: AccountRecord, state: PendingReport['state']): NewReport {
  const { accountId, grantId, name, since: at, endReason, detail } = record;
  return { accountId, grantId, state, name, at, endReason: state === 'ACTIVE' ? null : endReason, detail };
}

/** What is told of an account as it is now, whether or not something happened to it. */
export function snapshot(accountId: string, record: AccountRecord | undefined, observed: Observed, now: Reading): NewReport {
  const state = record?.phase === 'FAILED' ? 'FAILED' : observed === 'ENABLED' || observed === 'PARTIAL' ? 'ACTIVE' : observed;
  if (record) return report(record, state);
  return { accountId, grantId: null, state, name: null, at: now, endReason: null, detail: null };
}

/** What an error says, cut to the length of a report's detail. */
export function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
