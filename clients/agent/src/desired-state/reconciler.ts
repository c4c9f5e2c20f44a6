import type { Logger } from '@stint/host';
import type { AccountDriver, AccountRef, EnabledAccount, ObservedAccount } from '../accounts/account-driver.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import { privilegedDifference, type PrivilegedSnapshot } from '../privileged/privileged.domain.ts';
import type { EndReason, GrantRecord, PendingReport } from '../state/agent-state.ts';
import { queueReport, type HeldGrant, type Memory } from '../state/memory.ts';
import { accountReport, grantReport, snapshot, strayAccounts, words, worst } from './account-report.domain.ts';
import { GrantBook } from './grant-book.ts';
import { planAccount, type Step } from './plan.domain.ts';
import { Retries } from './retries.ts';

/** Told while reconciling; called after what they tell of is on disk. */
export interface ReconcilerEvents {
  activated(held: HeldGrant, passwordVerified: boolean | null): void;
  /** The grant was seen over (or could not begin). */
  ended(held: HeldGrant): void;
}

/** What runs for the grants. */
export interface GrantSessions {
  idle(grant: GrantRecord): boolean;
  /** Ends everything that runs for this grant and nothing else; false when something is left. */
  end(grant: GrantRecord): Promise<boolean>;
}

export interface ReconcilerOptions {
  driver: AccountDriver;
  memory: Memory;
  clock: DeviceClock;
  log: Logger;
  sessions: GrantSessions;
  generatePassword: (length: number) => string;
  events: ReconcilerEvents;
}

const longestWay = 8;

/**
 * Makes the system's accounts what they must be: reads the system, plans, writes down what it is about to do, does it,
 * reads back, writes down what it saw. Needs no network. Runs one at a time.
 */
export class Reconciler {
  readonly #o: ReconcilerOptions;
  readonly #book: GrantBook;
  readonly #retries = new Retries();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#o = options;
    this.#book = new GrantBook(options.memory, options.clock);
  }

  /** Brings every account to where it must be; `false` when something is left to be tried again. */
  run(): Promise<boolean> {
    return this.#alone(() => this.#all());
  }

  /** Ends a grant for this reason, at once. */
  async end(accountId: string, grantId: string, reason: EndReason): Promise<void> {
    await this.#alone(async () => {
      if (!this.#book.grants(accountId, 'ACTIVE', 'ENABLING').some((grant) => grant.grantId === grantId)) return;
      this.#book.write(accountId, { [grantId]: { phase: 'ENDING', endReason: reason } });
      await this.#one(accountId);
    });
  }

  /** Queues reports of every account that the server listed, as it is now, unless one is waiting anyway. */
  reportAll(): Promise<void> {
    return this.#alone(async () => {
      const { memory, clock } = this.#o;
      const observed = await this.#read();
      const waiting = new Set(memory.state.reports.map(({ accountId, grantId }) => `${accountId} ${grantId}`));
      const reports = (memory.state.desired?.accounts ?? [])
        .flatMap(({ id }) => snapshot(id, memory.record(id), worst(observed, id), clock.read()))
        .filter(({ accountId, grantId }) => !waiting.has(`${accountId} ${grantId}`));
      if (reports.length > 0) memory.change((state) => reports.forEach((report) => queueReport(state, report)));
    });
  }

  /** Accounts with Stint's mark that neither the server lists nor `known` holds nor a grant is live for, as the system shows them now. */
  strays(known: readonly string[]): Promise<{ accountId: string; name: string }[]> {
    return this.#alone(async () => {
      const { desired, records } = this.#o.memory.state;
      const listed = new Set([...known, ...(desired?.accounts ?? []).map(({ id }) => id)]);
      return desired ? strayAccounts(await this.#read(), listed, records) : [];
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
    const order = (id: string) => (this.#book.desired(id)?.state === 'ENABLED' ? 1 : 0);
    for (const id of [...ids].sort((a, b) => order(a) - order(b))) settled = (await this.#one(id)) && settled;
    this.#book.checkpoint();
    this.#book.forget(observed);
    return settled;
  }

  /** One account, step by step until nothing is left to do. */
  async #one(accountId: string): Promise<boolean> {
    for (let steps = 0; steps < longestWay; steps++) {
      const isLonger = this.#book.revise(accountId);
      const observed = await this.#read();
      const seen = observed.find((account) => account.accountId === accountId);
      if (isLonger) await this.#prolong(accountId);
      const step = this.#plan(accountId, observed);
      if (step.do === 'NOTHING') return !this.#retries.mustWait(accountId, 'END_SESSIONS');
      if (this.#retries.mustWait(accountId, step.do)) return false;
      if (await this.#perform(accountId, step, seen)) this.#retries.worked(accountId, step.do);
      else return false;
    }
    return false;
  }

  #plan(accountId: string, observed: readonly ObservedAccount[]): Step {
    const { desired, grants } = this.#book.situation(accountId, (grant) => this.#o.sessions.idle(grant));
    const isUsed = grants.some(({ verdict }) => verdict.is === 'KEEP');
    // Sessions that would not end must hold up neither the others nor their repair.
    const isStuck = isUsed && this.#retries.mustWait(accountId, 'END_SESSIONS');
    return planAccount({
      desired,
      observed: worst(observed, accountId),
      grants: isStuck ? grants.filter(({ verdict }) => verdict.is !== 'ENDING') : grants,
    });
  }

  /** False: it failed and is tried again later. */
  async #perform(accountId: string, step: Exclude<Step, { do: 'NOTHING' }>, seen: ObservedAccount | undefined): Promise<boolean> {
    switch (step.do) {
      case 'END':
        return this.#end(accountId, step.grants, seen);
      case 'END_SESSIONS':
        return this.#endSessions(accountId, step.grantIds);
      case 'ENABLE':
        return this.#begin(accountId, step.grantIds, 'ENABLE');
      case 'ADMIT':
        return this.#begin(accountId, step.grantIds, 'ADMIT');
      case 'DISABLE':
        return this.#disable(accountId, seen);
      case 'REMOVE':
        return this.#remove(accountId, seen);
    }
  }

  async #end(
    accountId: string,
    grants: readonly { grantId: string; reason: EndReason | null }[],
    seen: ObservedAccount | undefined,
  ): Promise<boolean> {
    try {
      this.#book.write(
        accountId,
        Object.fromEntries(grants.map(({ grantId, reason }) => [grantId, { phase: 'ENDING' as const, endReason: reason }])),
      );
      return true;
    } catch (error) {
      // A full disk must not keep an account alive; what could not be written is planned again from what the system shows.
      this.#o.log.error({ accountId, detail: words(error) }, 'The intent to end access could not be written down.');
      const ending = new Set(grants.map(({ grantId }) => grantId));
      if (this.#book.grants(accountId, 'ACTIVE').every(({ grantId }) => ending.has(grantId)))
        await this.#o.driver.disable(this.#ref(accountId, seen));
      throw error;
    }
  }

  /** The account is on for others: their sessions are not touched, nor is the account. */
  async #endSessions(accountId: string, grantIds: readonly string[]): Promise<boolean> {
    let all = true;
    for (const grant of this.#book.grants(accountId).filter(({ grantId }) => grantIds.includes(grantId))) {
      if (await this.#o.sessions.end(grant)) await this.#finish(accountId, grant.grantId, 'DISABLED');
      else all = this.#stuck(accountId, 'END_SESSIONS', [grant], 'Processes of the session do not end.');
    }
    return all;
  }

  /** Turns the account on for these grants, or lets them in to one that is on; without grants: puts right what was changed. */
  async #begin(accountId: string, grantIds: readonly string[], work: 'ENABLE' | 'ADMIT'): Promise<boolean> {
    const { log, clock } = this.#o;
    const wanted = this.#book.wanted(accountId);
    if (!wanted) return true;
    if (grantIds.length > 0) {
      const privilegedBefore = await this.#privileged();
      // Before anything is done: after a crash from here on, the session's time counts from this moment.
      this.#book.write(
        accountId,
        Object.fromEntries(
          grantIds.map((id) => [id, { ...this.#book.begun(accountId, id), phase: 'ENABLING' as const, privilegedBefore }]),
        ),
      );
    }
    let enabled: EnabledAccount | null = null;
    try {
      if (work === 'ENABLE') {
        const { name, displayName, passwordLength } = wanted;
        // The password is known here only, and only now; sessions of an account that is on never see it change.
        const password = this.#o.generatePassword(passwordLength);
        enabled = await this.#o.driver.enable({ accountId, name, displayName, endsAtMs: this.#book.endsAtMs(accountId), password });
      } else await this.#o.driver.prolong(accountId, this.#book.endsAtMs(accountId));
    } catch (error) {
      const detail = words(error);
      log.error({ accountId, detail }, grantIds.length > 0 ? 'An account could not be enabled.' : 'An account could not be put right.');
      // Cleared away first; reported as FAILED when it is seen to be over.
      if (grantIds.length > 0)
        this.#book.write(accountId, Object.fromEntries(grantIds.map((id) => [id, { phase: 'ENDING' as const, deadline: null, detail }])));
      if (this.#book.grants(accountId, 'ACTIVE').length === 0) return true;
      this.#retries.failed(accountId, work);
      return false;
    }
    const account = enabled ? { name: enabled.name, uid: enabled.uid } : {};
    if (grantIds.length === 0) {
      this.#book.write(accountId, {}, { account });
      log.warn({ account: enabled?.name }, 'An account of a running session was not as it must be and was put right.');
      return true;
    }
    const begun = grantIds.map((id) => [id, { ...this.#book.begun(accountId, id), phase: 'ACTIVE' as const, since: clock.read() }]);
    for (const held of this.#book.write(accountId, Object.fromEntries(begun), { account, reported: 'ACTIVE' })) {
      const { grantId, deadline } = held.grant;
      log.info({ account: held.account.name, grantId, seconds: (deadline?.sessionMs ?? 0) / 1000 }, 'Account enabled.');
      this.#o.events.activated(held, enabled?.passwordVerified ?? null);
    }
    return true;
  }

  /** The system's own end follows an extension; should it not, the day on which it ends the account repairs it. */
  async #prolong(accountId: string): Promise<void> {
    await this.#o.driver.prolong(accountId, this.#book.endsAtMs(accountId)).catch((error: unknown) => {
      this.#o.log.warn({ accountId, detail: words(error) }, "The system's own end of an account could not be moved.");
    });
  }

  async #disable(accountId: string, seen: ObservedAccount | undefined): Promise<boolean> {
    const { memory, driver, clock, log, sessions } = this.#o;
    const known = this.#ref(accountId, seen);
    const failure = await driver.disable(known).then(() => null, words);
    const ending = this.#book.grants(accountId, 'ENDING');
    const gone = await Promise.all(ending.map((grant) => sessions.end(grant)));
    const now = worst(await this.#read(), accountId);
    if ((now === 'DISABLED' || now === 'ABSENT') && !gone.includes(false)) {
      if (memory.record(accountId)) this.#book.write(accountId, {}, { account: { name: known.name, uid: known.uid } });
      for (const { grantId } of ending) await this.#finish(accountId, grantId, now);
      log.info({ account: known.name }, 'Account seen disabled.');
      if (ending.length === 0 && this.#book.desired(accountId))
        memory.change((state) => queueReport(state, accountReport(accountId, known.name, now, clock.read())));
      return true;
    }
    const left = `the account is ${now} in the system's files or still has processes.`;
    return this.#stuck(accountId, 'DISABLE', ending, failure ?? `The tools reported success, but ${left}`);
  }

  async #remove(accountId: string, seen: ObservedAccount | undefined): Promise<boolean> {
    const { memory, driver, clock, log } = this.#o;
    const known = this.#ref(accountId, seen);
    const failure = await driver.remove(known).then(() => null, words);
    if (worst(await this.#read(), accountId) === 'ABSENT') {
      memory.change((state) => {
        delete state.records[accountId];
        queueReport(state, accountReport(accountId, known.name, 'ABSENT', clock.read()));
      });
      log.info({ account: known.name }, 'Account deleted.');
      return true;
    }
    log.error({ account: known.name, detail: failure }, 'An account could not be deleted. Trying again.');
    this.#retries.failed(accountId, 'REMOVE');
    return false;
  }

  /** Nothing of the grant is left: compares who is privileged now, and writes down that it is over. */
  async #finish(accountId: string, grantId: string, seen: PendingReport['state']): Promise<void> {
    const { driver, log, events } = this.#o;
    let grant = this.#book.grants(accountId).find((each) => each.grantId === grantId);
    if (!grant) return;
    const now = grant.privilegedBefore && grant.privileged === null ? await this.#privileged() : null;
    if (now && grant.privilegedBefore) {
      // Before anything is removed: what was found survives a crash.
      const privileged = privilegedDifference(grant.privilegedBefore, now);
      grant = this.#book.writeOne(accountId, grantId, { privileged }).grant;
    }
    if (this.#book.desired(accountId)?.removeNewPrivileged && grant.privileged?.some(({ added }) => added.length > 0))
      await driver
        .removePrivileged(grant.privileged)
        .catch((error: unknown) => log.error({ grantId, detail: words(error) }, 'New members of privileged groups could not be removed.'));
    const failed = grant.detail !== null;
    const phase = failed ? 'FAILED' : 'ENDED';
    const held = this.#book.writeOne(accountId, grantId, { phase, privilegedBefore: null }, failed ? 'FAILED' : seen);
    log.info({ account: held.account.name, grantId, reason: grant.endReason }, 'Access ended.');
    events.ended(held);
  }

  /** Tells, once, that an end does not work, and tries again later. */
  #stuck(accountId: string, work: string, ending: readonly GrantRecord[], detail: string): false {
    const { memory, log } = this.#o;
    const record = memory.record(accountId);
    log.error({ account: record?.name, detail }, 'Access could not be ended. Trying again.');
    if (this.#retries.failed(accountId, work) && record)
      memory.change((state) => ending.forEach((grant) => queueReport(state, { ...grantReport(record, grant, 'ACTIVE'), detail })));
    return false;
  }

  #privileged(): Promise<PrivilegedSnapshot | null> {
    return this.#o.driver.privileged().catch((error: unknown) => {
      this.#o.log.error({ detail: words(error) }, 'Privileged groups could not be read.');
      return null;
    });
  }

  #ref(accountId: string, seen: ObservedAccount | undefined): AccountRef {
    const record = this.#o.memory.record(accountId);
    return { accountId, name: seen?.name ?? record?.name ?? null, uid: seen?.uid ?? record?.uid ?? null };
  }

  #read(): Promise<ObservedAccount[]> {
    return this.#o.driver.read(Object.values(this.#o.memory.state.records));
  }
}
