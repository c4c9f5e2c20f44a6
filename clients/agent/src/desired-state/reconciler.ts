import type { Logger } from '@stint/host';
import type { AccountDriver, EnabledAccount, ObservedAccount } from '../accounts/account-driver.ts';
import { checkpointed, mayActivate, remainingMs, secondsBetween, shortened, startDeadline } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import type { AccountRecord, EndReason, PendingReport } from '../state/agent-state.ts';
import { queueReport, type Memory } from '../state/memory.ts';
import { newRecord, report, snapshot, words, worst } from './account-report.domain.ts';
import type { DesiredAccount } from './desired-account.ts';
import { plan, type Observed, type Step } from './plan.domain.ts';

const checkpointSeconds = 60;
const longestRetrySeconds = 30;

/** Told while reconciling; called after what they tell of is on disk. */
export interface ReconcilerEvents {
  activated(record: AccountRecord, passwordVerified: boolean | null): void;
  /** The account was seen disabled (or could not be made): whatever still runs of its session must end too. */
  ended(record: AccountRecord): void;
}

export interface ReconcilerOptions {
  driver: AccountDriver;
  memory: Memory;
  clock: DeviceClock;
  log: Logger;
  generatePassword: (length: number) => string;
  events: ReconcilerEvents;
}

/**
 * Makes the system's accounts what they must be: reads the system, plans, writes down what it is about to do, does it,
 * reads back, writes down what it saw. Needs no network. Runs one at a time.
 */
export class Reconciler {
  readonly #o: ReconcilerOptions;
  readonly #retries = new Map<string, { tries: number; notBefore: number }>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#o = options;
  }

  /** Brings every account to where it must be; `false` when something is left to be tried again. */
  run(): Promise<boolean> {
    return this.#alone(() => this.#all());
  }

  /** Ends the account's session for this reason, at once. */
  async end(accountId: string, reason: EndReason): Promise<void> {
    await this.#alone(async () => {
      const phase = this.#o.memory.record(accountId)?.phase;
      if (phase !== 'ACTIVE' && phase !== 'ENABLING') return;
      this.#write(accountId, { phase: 'ENDING', endReason: reason });
      await this.#one(accountId);
    });
  }

  /** Queues a report of every account that the server listed, as it is now, unless one is waiting anyway. */
  reportAll(): Promise<void> {
    return this.#alone(async () => {
      const { memory, clock } = this.#o;
      const observed = await this.#read();
      const waiting = new Set(memory.state.reports.map((report) => report.accountId));
      const reports = (memory.state.desired?.accounts ?? [])
        .filter((account) => !waiting.has(account.id))
        .map((account) => snapshot(account.id, memory.record(account.id), worst(observed, account.id), clock.read()));
      if (reports.length > 0) memory.change((state) => reports.forEach((report) => queueReport(state, report)));
    });
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #all(): Promise<boolean> {
    const { memory } = this.#o;
    const observed = await this.#read();
    const ids = new Set([
      ...Object.keys(memory.state.records),
      ...(memory.state.desired?.accounts ?? []).map(({ id }) => id),
      ...observed.map(({ accountId }) => accountId),
    ]);
    let settled = true;
    // Ends before beginnings: what must go off is never behind what takes long.
    const order = (id: string) => (this.#desired(id)?.state === 'ENABLED' ? 1 : 0);
    for (const id of [...ids].sort((a, b) => order(a) - order(b))) settled = (await this.#one(id)) && settled;
    this.#checkpoint();
    this.#forget(observed);
    return settled;
  }

  /** One account, step by step until nothing is left to do. */
  async #one(accountId: string): Promise<boolean> {
    for (let steps = 0; steps < 4; steps++) {
      this.#shorten(accountId);
      const observed = await this.#read();
      const step = this.#plan(accountId, worst(observed, accountId));
      if (step.do === 'NOTHING') {
        this.#retries.delete(accountId);
        return true;
      }
      if (this.#mustWait(accountId)) return false;
      if (
        !(await this.#perform(
          accountId,
          step,
          observed.find((account) => account.accountId === accountId),
        ))
      )
        return false;
    }
    return false;
  }

  #plan(accountId: string, observed: Observed): Step {
    const { memory, clock } = this.#o;
    const now = clock.read();
    const desired = this.#desired(accountId);
    const record = memory.record(accountId);
    const receivedAt = memory.state.desired?.receivedAt ?? now;
    return plan({
      desired: desired && { state: desired.state, grantId: desired.grantId, serverThinksActive: desired.expiresAt !== null },
      observed,
      record,
      expired: record?.deadline != null && remainingMs(record.deadline, now) <= 0,
      mayActivate: desired?.activateBy != null && mayActivate(desired.activateBy, receivedAt, now),
    });
  }

  #perform(accountId: string, step: Exclude<Step, { do: 'NOTHING' }>, seen: ObservedAccount | undefined): Promise<boolean> {
    switch (step.do) {
      case 'ENABLE':
        return this.#enable(accountId);
      case 'DISABLE':
        return this.#disable(accountId, step.reason, seen);
      case 'REMOVE':
        return this.#remove(accountId);
    }
  }

  async #enable(accountId: string): Promise<boolean> {
    const { memory, log, clock } = this.#o;
    const desired = this.#desired(accountId);
    if (!desired) return true;
    const repair = memory.record(accountId)?.phase === 'ACTIVE';
    const { grantId, loginRequestId, expiresAt } = desired;
    const sessionSeconds = desired.sessionSeconds ?? 0;
    if (!repair) {
      const since = clock.read();
      // Before anything is done: after a crash from here on, the session's time counts from this moment.
      const deadline = startDeadline(sessionSeconds, expiresAt, since);
      this.#write(accountId, { phase: 'ENABLING', since, deadline, endReason: null, detail: null, grantId, loginRequestId });
    }
    let enabled: EnabledAccount;
    try {
      enabled = await this.#turnOn(desired);
    } catch (error) {
      const detail = words(error);
      log.error({ accountId, detail }, repair ? 'An account could not be put right.' : 'An account could not be enabled.');
      if (repair) return this.#retryLater(accountId);
      // Cleared away first; reported as FAILED when it is seen to be off.
      this.#write(accountId, { phase: 'ENDING', deadline: null, detail });
      return true;
    }
    const { name, uid, passwordVerified } = enabled;
    if (repair) {
      this.#write(accountId, { name, uid });
      log.warn({ account: name }, 'An account of a running session was not as it must be and was put right.');
      return true;
    }
    const since = clock.read();
    const deadline = startDeadline(sessionSeconds, expiresAt, since);
    const record = this.#write(accountId, { phase: 'ACTIVE', name, uid, since, deadline }, 'ACTIVE');
    log.info({ account: name, grantId, seconds: sessionSeconds }, 'Account enabled.');
    this.#o.events.activated(record, passwordVerified);
    return true;
  }

  /** Has the driver enable the account with a new password that is known here only, and only now. */
  #turnOn({ id: accountId, name, displayName, passwordLength }: DesiredAccount): Promise<EnabledAccount> {
    const now = this.#o.clock.read();
    const deadline = this.#o.memory.record(accountId)?.deadline;
    const endsAtMs = now.wallMs + (deadline ? remainingMs(deadline, now) : 0);
    return this.#o.driver.enable({ accountId, name, displayName, endsAtMs, password: this.#o.generatePassword(passwordLength) });
  }

  async #disable(accountId: string, reason: EndReason | null, seen: ObservedAccount | undefined): Promise<boolean> {
    const { memory, driver, log, events } = this.#o;
    const before = memory.record(accountId);
    const known = { name: seen?.name ?? before?.name ?? null, uid: seen?.uid ?? before?.uid ?? null };
    const change = before?.phase === 'ENDING' ? known : { ...known, endReason: reason, ...this.#grantOf(accountId, before) };
    try {
      if (before?.phase !== 'ENDING') this.#write(accountId, { phase: 'ENDING', ...change });
    } catch (error) {
      // A full disk must not keep an account alive; what could not be written is planned again from what the system shows.
      log.error({ accountId, detail: words(error) }, 'The intent to disable an account could not be written down.');
    }
    const failure = await driver.disable({ accountId, ...known }).then(() => null, words);
    const now = worst(await this.#read(), accountId);
    const ending = memory.record(accountId);
    if (now === 'DISABLED' || now === 'ABSENT') {
      const failed = ending?.detail != null && ending.deadline === null;
      const record = this.#write(accountId, { ...change, phase: failed ? 'FAILED' : 'ENDED' }, failed ? 'FAILED' : now);
      log.info({ account: known.name, grantId: record.grantId, reason: record.endReason }, 'Account seen disabled.');
      this.#retries.delete(accountId);
      events.ended(record);
      return true;
    }
    const detail = failure ?? `The tools reported success, but the account is ${now} in the system's files or still has processes.`;
    log.error({ account: known.name, detail }, 'An account could not be disabled. Trying again.');
    if (ending && !this.#retries.has(accountId)) memory.change((state) => queueReport(state, { ...report(ending, 'ACTIVE'), detail }));
    return this.#retryLater(accountId);
  }

  async #remove(accountId: string): Promise<boolean> {
    const { memory, driver, clock, log } = this.#o;
    const { name = null, uid = null, grantId = null } = memory.record(accountId) ?? {};
    const failure = await driver.remove({ accountId, name, uid }).then(() => null, words);
    if (worst(await this.#read(), accountId) === 'ABSENT') {
      memory.change((state) => {
        delete state.records[accountId];
        queueReport(state, { accountId, grantId, state: 'ABSENT', name, at: clock.read(), endReason: null, detail: null });
      });
      log.info({ account: name }, 'Account deleted.');
      return true;
    }
    log.error({ account: name, detail: failure }, 'An account could not be deleted. Trying again.');
    return this.#retryLater(accountId);
  }

  /** What a record must say that begins with an ending: an account found usable without a live record, or an order that came too late. */
  #grantOf(accountId: string, before: AccountRecord | undefined): Partial<AccountRecord> {
    const desired = this.#desired(accountId);
    if (before?.phase === 'ENABLING' || before?.phase === 'ACTIVE') return {};
    if (desired?.state !== 'ENABLED' || before?.grantId === desired.grantId) return {};
    return { grantId: desired.grantId, loginRequestId: desired.loginRequestId, deadline: null, detail: null };
  }

  #write(accountId: string, change: Partial<AccountRecord>, reported?: PendingReport['state']): AccountRecord {
    const now = this.#o.clock.read();
    const before = this.#o.memory.record(accountId) ?? newRecord(accountId, now);
    const since = change.phase === undefined || change.phase === before.phase ? before.since : now;
    const record = { ...before, since, ...change };
    this.#o.memory.change((state) => {
      state.records[accountId] = record;
      if (reported !== undefined) queueReport(state, report(record, reported));
    });
    return record;
  }

  /** The server's `expiresAt` only shortens. */
  #shorten(accountId: string): void {
    const record = this.#o.memory.record(accountId);
    const desired = this.#desired(accountId);
    if (!record?.deadline || desired?.grantId !== record.grantId) return;
    const deadline = shortened(record.deadline, desired.expiresAt);
    if (deadline !== record.deadline) this.#write(accountId, { deadline });
  }

  /** Writes down how much of each session is used, at most once a minute, so that a reboot gives nothing back. */
  #checkpoint(): void {
    const now = this.#o.clock.read();
    for (const record of Object.values(this.#o.memory.state.records)) {
      if (!record.deadline || (record.phase !== 'ACTIVE' && record.phase !== 'ENABLING')) continue;
      const { checkpoint } = record.deadline;
      if (checkpoint.bootId === now.bootId && secondsBetween(checkpoint, now) < checkpointSeconds) continue;
      this.#write(record.accountId, { deadline: checkpointed(record.deadline, now) });
    }
  }

  /** Records of accounts that exist neither here nor for the server. */
  #forget(observed: readonly ObservedAccount[]): void {
    const { memory } = this.#o;
    const gone = Object.values(memory.state.records).filter(
      (record) =>
        (record.phase === 'ENDED' || record.phase === 'FAILED') &&
        !this.#desired(record.accountId) &&
        worst(observed, record.accountId) === 'ABSENT',
    );
    if (gone.length > 0) memory.change((state) => gone.forEach(({ accountId }) => delete state.records[accountId]));
  }

  #desired(accountId: string): DesiredAccount | undefined {
    return this.#o.memory.state.desired?.accounts.find(({ id }) => id === accountId);
  }

  #read(): Promise<ObservedAccount[]> {
    return this.#o.driver.read(Object.values(this.#o.memory.state.records));
  }

  #mustWait(accountId: string): boolean {
    return (this.#retries.get(accountId)?.notBefore ?? 0) > performance.now();
  }

  #retryLater(accountId: string): false {
    const tries = (this.#retries.get(accountId)?.tries ?? 0) + 1;
    this.#retries.set(accountId, { tries, notBefore: performance.now() + Math.min(2 ** (tries - 1), longestRetrySeconds) * 1000 });
    return false;
  }
}
