import type { ObservedAccount } from '../accounts/account-driver.ts';
import { checkpointed, mayActivate, remainingMs, revised, secondsBetween, startDeadline } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import type { AccountRecord, GrantRecord, PendingReport } from '../state/agent-state.ts';
import { queueReport, type HeldGrant, type Memory } from '../state/memory.ts';
import { grantReport, newRecord, worst } from './account-report.domain.ts';
import type { DesiredAccount, DesiredGrant } from './desired-account.ts';
import { planGrant, type AccountSituation } from './plan.domain.ts';

const checkpointSeconds = 60;

/** A grant's part of a record that changes. */
export type GrantChange = Partial<GrantRecord>;

/** What the agent wrote down about grants, put together with what the server last said of them. Every change is durable when it returns. */
export class GrantBook {
  readonly #memory: Memory;
  readonly #clock: DeviceClock;

  constructor(memory: Memory, clock: DeviceClock) {
    this.#memory = memory;
    this.#clock = clock;
  }

  desired(accountId: string): DesiredAccount | undefined {
    return this.#memory.state.desired?.accounts.find(({ id }) => id === accountId);
  }

  /** How the account is to be made: as the server says, or as the offline login that needs it was prepared. */
  wanted(accountId: string): Pick<DesiredAccount, 'name' | 'displayName' | 'passwordLength'> | undefined {
    const offline = this.#memory.record(accountId)?.wanted;
    return this.desired(accountId) ?? (offline ? { ...offline, passwordLength: 24 } : undefined);
  }

  grants(accountId: string, ...phases: GrantRecord['phase'][]): GrantRecord[] {
    return Object.values(this.#memory.record(accountId)?.grants ?? {}).filter(({ phase }) => phases.length === 0 || phases.includes(phase));
  }

  /** What is wanted and remembered of one account, judged grant by grant. */
  situation(accountId: string, idle: (grant: GrantRecord) => boolean): Omit<AccountSituation, 'observed'> {
    const now = this.#clock.read();
    const desired = this.desired(accountId);
    const receivedAt = this.#memory.state.desired?.receivedAt ?? now;
    const listed = new Map((desired?.state === 'ENABLED' ? desired.grants : []).map((grant) => [grant.grantId, grant]));
    const known = new Map(this.grants(accountId).map((grant) => [grant.grantId, grant]));
    const grants = [...new Set([...known.keys(), ...listed.keys()])].map((grantId) => {
      const [order, record] = [listed.get(grantId), known.get(grantId)];
      const verdict = planGrant({
        desired: order && { serverThinksActive: order.expiresAt !== null, mayActivate: mayActivate(order.activateBy, receivedAt, now) },
        record,
        offline: record?.offline != null,
        expired: record?.deadline != null && remainingMs(record.deadline, now) <= 0,
        idle: record !== undefined && idle(record),
      });
      return { grantId, verdict };
    });
    return { desired: desired?.state, grants };
  }

  /** What a grant's record says when it begins (again) now: its time counts from this moment. */
  begun(accountId: string, grantId: string): GrantChange {
    const now = this.#clock.read();
    const order = this.#order(accountId, grantId);
    const offline = this.#memory.record(accountId)?.grants[grantId];
    if (order) {
      const { loginRequestId, sessionSeconds, expiresAt: expiresAtMs, idleEndSeconds, warnSeconds } = order;
      const deadline = startDeadline({ sessionSeconds, expiresAtMs, revision: this.#memory.state.desired?.revision ?? 0 }, now);
      return { since: now, deadline, loginRequestId, idleEndSeconds, warnSeconds, endReason: null, detail: null };
    }
    const deadline = offline?.deadline ? { ...offline.deadline, usedMs: 0, checkpoint: now } : null;
    return { since: now, deadline, endReason: null, detail: null };
  }

  /** Changes grants of an account, and the account's own facts, in one write; queues a report of each when `reported` is given. */
  write(
    accountId: string,
    changes: Record<string, GrantChange>,
    options: { account?: Partial<AccountRecord>; reported?: PendingReport['state'] } = {},
  ): HeldGrant[] {
    const now = this.#clock.read();
    const account: AccountRecord = structuredClone({ ...(this.#memory.record(accountId) ?? newRecord(accountId)), ...options.account });
    const held = Object.entries(changes).map(([grantId, change]) => {
      const before = account.grants[grantId] ?? this.#unknown(accountId, grantId);
      const since = change.phase === undefined || change.phase === before.phase ? before.since : now;
      const grant = (account.grants[grantId] = { ...before, since, ...change });
      return { account, grant };
    });
    this.#memory.change((state) => {
      state.records[accountId] = account;
      for (const { grant } of held) if (options.reported !== undefined) queueReport(state, grantReport(account, grant, options.reported));
    });
    return held;
  }

  /** Changes one grant of an account. */
  writeOne(accountId: string, grantId: string, change: GrantChange, reported?: PendingReport['state']): HeldGrant {
    this.write(accountId, { [grantId]: change }, { ...(reported === undefined ? {} : { reported }) });
    const account = this.#memory.record(accountId);
    const grant = account?.grants[grantId];
    if (!account || !grant) throw new Error(`The record of grant ${grantId} was not written.`);
    return { account, grant };
  }

  /** Takes what the server says now about the ends of running sessions; true when one of them got longer. */
  revise(accountId: string): boolean {
    const revision = this.#memory.state.desired?.revision ?? 0;
    let isLonger = false;
    for (const grant of this.grants(accountId, 'ENABLING', 'ACTIVE')) {
      const order = this.#order(accountId, grant.grantId);
      const isHeard = grant.offline !== null && (order !== undefined || revision > (grant.offline.reportedAtRevision ?? Infinity));
      const change: GrantChange = isHeard ? { offline: null } : {};
      if (order) {
        const { sessionSeconds, expiresAt: expiresAtMs, idleEndSeconds, warnSeconds } = order;
        const deadline = grant.deadline && revised(grant.deadline, { sessionSeconds, expiresAtMs, revision });
        if (deadline !== grant.deadline) Object.assign(change, { deadline });
        if (idleEndSeconds !== grant.idleEndSeconds || warnSeconds !== grant.warnSeconds)
          Object.assign(change, { idleEndSeconds, warnSeconds });
        isLonger ||= (deadline?.sessionMs ?? 0) > (grant.deadline?.sessionMs ?? 0);
      }
      if (Object.keys(change).length > 0) this.write(accountId, { [grant.grantId]: change });
    }
    return isLonger;
  }

  /** When the last of the account's live grants ends, by the wall clock in milliseconds; now, without one. */
  endsAtMs(accountId: string): number {
    const now = this.#clock.read();
    const left = this.grants(accountId, 'ENABLING', 'ACTIVE').map(({ deadline }) => (deadline ? remainingMs(deadline, now) : 0));
    return now.wallMs + Math.max(0, ...left);
  }

  /** Writes down how much of each session is used, at most once a minute, so that a reboot gives nothing back. */
  checkpoint(): void {
    const now = this.#clock.read();
    for (const { account, grant } of this.#memory.grants()) {
      if (!grant.deadline || (grant.phase !== 'ACTIVE' && grant.phase !== 'ENABLING')) continue;
      const { checkpoint } = grant.deadline;
      if (checkpoint.bootId === now.bootId && secondsBetween(checkpoint, now) < checkpointSeconds) continue;
      this.write(account.accountId, { [grant.grantId]: { deadline: checkpointed(grant.deadline, now) } });
    }
  }

  /** Drops grants that are over and that the server does not list any more, and accounts that exist neither here nor for the server. */
  forget(observed: readonly ObservedAccount[]): void {
    const over = this.#memory
      .grants()
      .filter(
        ({ account, grant }) => (grant.phase === 'ENDED' || grant.phase === 'FAILED') && !this.#order(account.accountId, grant.grantId),
      );
    const gone = Object.values(this.#memory.state.records).filter(
      ({ accountId }) =>
        !this.desired(accountId) &&
        worst(observed, accountId) === 'ABSENT' &&
        this.grants(accountId, 'ENABLING', 'ACTIVE', 'ENDING').length === 0,
    );
    if (over.length + gone.length === 0) return;
    this.#memory.change((state) => {
      for (const { account, grant } of over) delete state.records[account.accountId]?.grants[grant.grantId];
      for (const { accountId } of gone) delete state.records[accountId];
    });
  }

  #order(accountId: string, grantId: string): DesiredGrant | undefined {
    const desired = this.desired(accountId);
    return desired?.state === 'ENABLED' ? desired.grants.find((grant) => grant.grantId === grantId) : undefined;
  }

  /** The record of a grant to which nothing has happened yet. */
  #unknown(accountId: string, grantId: string): GrantRecord {
    const { loginRequestId = null, idleEndSeconds = null, warnSeconds = 300 } = this.#order(accountId, grantId) ?? {};
    const nothing = { deadline: null, endReason: null, detail: null, offline: null, privilegedBefore: null, privileged: null };
    return { grantId, loginRequestId, idleEndSeconds, warnSeconds, phase: 'ENDED', since: this.#clock.read(), ...nothing };
  }
}
