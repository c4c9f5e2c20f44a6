import type { AccountRecord, AgentState, GrantRecord, PendingReport } from './agent-state.ts';
import type { StateStore } from './state-store.ts';

/** A grant with the account that it is for. */
export interface HeldGrant {
  account: AccountRecord;
  grant: GrantRecord;
}

/** The agent's state in memory, always the same as on disk: every change is durable before `change` returns. */
export class Memory {
  readonly #store: StateStore;
  #state: AgentState;

  constructor(store: StateStore) {
    this.#store = store;
    this.#state = store.load();
  }

  get state(): Readonly<AgentState> {
    return this.#state;
  }

  /** Applies a change and writes it down. A failed write (disk full) changes nothing. */
  change(apply: (state: AgentState) => void): void {
    const next = structuredClone(this.#state);
    apply(next);
    this.#store.save(next);
    this.#state = next;
  }

  record(accountId: string): AccountRecord | undefined {
    return this.#state.records[accountId];
  }

  /** All grants that are known here, over or not. */
  grants(): HeldGrant[] {
    return Object.values(this.#state.records).flatMap((account) => Object.values(account.grants).map((grant) => ({ account, grant })));
  }

  grantOfLogin(loginRequestId: string): HeldGrant | undefined {
    return this.grants().find(({ grant }) => grant.loginRequestId === loginRequestId);
  }
}

/** A report before it is queued. */
export type NewReport = Omit<PendingReport, 'revision'>;

/** Queues a report of what was seen under the present revision; an older one that says the same of the same grant is replaced. */
export function queueReport(state: AgentState, report: NewReport): void {
  const same = (other: NewReport) =>
    other.accountId === report.accountId && other.grantId === report.grantId && other.state === report.state;
  state.reports = [...state.reports.filter((other) => !same(other)), { ...report, revision: state.desired?.revision ?? 0 }];
}
