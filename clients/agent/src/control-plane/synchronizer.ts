import type { Logger } from '@stint/host';
import { secondsBetween } from '../deadline/deadline.domain.ts';
import type { DeviceClock, Reading } from '../deadline/device-clock.ts';
import type { Reconciler } from '../desired-state/reconciler.ts';
import type { OfflineChecker } from '../offline/offline-checker.ts';
import type { Memory } from '../state/memory.ts';
import { Refused, type ControlPlane } from './control-plane.ts';

const batchSize = 100;
const rounds = 5;
const offlineBatchSize = 20;
const straySeconds = 3600;

export interface SynchronizerOptions {
  control: ControlPlane;
  memory: Memory;
  clock: DeviceClock;
  reconciler: Reconciler;
  offline: OfflineChecker;
  log: Logger;
}

/** Fetches the desired state, has it made real, and hands reports over until the server took them. */
export class Synchronizer {
  readonly #o: SynchronizerOptions;
  #straysAt: Reading | undefined;

  constructor(options: SynchronizerOptions) {
    this.#o = options;
  }

  /** One whole check-in. Throws when the server gave no usable answer; nothing is lost then. */
  async run(): Promise<void> {
    // First: what follows from the server is then told by one who knows of these sessions.
    await this.#handOverOffline();
    await this.#handOverLocks();
    for (let round = 0; round < rounds; round++) {
      const revision = await this.#fetch();
      const newest = await this.#handOver(revision);
      if (newest <= revision) return;
    }
  }

  async #fetch(): Promise<number> {
    const { control, memory, clock, reconciler, offline } = this.#o;
    const answer = await control.checkIn(memory.state.desired?.revision ?? null);
    const { revision, checkInSeconds, accounts, offlineAccess } = answer;
    offline.heard();
    if (checkInSeconds !== memory.state.checkInSeconds) memory.change((state) => void (state.checkInSeconds = checkInSeconds));
    // Before the revision counts as known: killed in between, all of it is fetched again.
    if (offlineAccess) await offline.prepare(offlineAccess);
    if (accounts) {
      memory.change((state) => void (state.desired = { revision, accounts, receivedAt: clock.read() }));
      await reconciler.run();
    }
    if (accounts || this.#straysAreDue()) await this.#reportStrays(accounts !== null);
    return revision;
  }

  #straysAreDue(): boolean {
    return this.#straysAt === undefined || secondsBetween(this.#straysAt, this.#o.clock.read()) >= straySeconds;
  }

  /** Accounts with Stint's mark that nobody knows: disabled by now; told when they are others than those the server knows of. */
  async #reportStrays(everything: boolean): Promise<void> {
    const { control, memory, clock, reconciler, offline, log } = this.#o;
    if (everything) await reconciler.reportAll();
    const strays = await reconciler.strays(offline.accountIds);
    if (JSON.stringify(strays) !== JSON.stringify(memory.state.strays)) {
      try {
        await control.reportStrays(strays);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        log.error({ detail: error.message }, 'The server refused the list of stray accounts.');
      }
      memory.change((state) => void (state.strays = strays));
    }
    this.#straysAt = clock.read();
  }

  async #handOverOffline(): Promise<void> {
    const { control, memory, clock, log } = this.#o;
    for (let size = offlineBatchSize; memory.state.offlineLogins.length > 0;) {
      const batch = memory.state.offlineLogins.slice(0, size);
      try {
        await control.reportOfflineLogins(
          batch.map(({ at, ...login }) => ({ ...login, secondsAgo: secondsBetween(at, clock.read()) })),
          [],
        );
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // The server takes all or none: one that it cannot take must not keep it from hearing of the others.
        if (batch.length > 1) {
          size = 1;
          continue;
        }
        log.error({ detail: error.message, grantIds: batch.map(({ grantId }) => grantId) }, 'The server refused offline logins.');
      }
      const taken = new Set(batch.map(({ id }) => id));
      memory.change((state) => {
        state.offlineLogins = state.offlineLogins.filter(({ id }) => !taken.has(id));
        // From the next revision on the server has its say about them.
        for (const { accountId, grantId } of batch) {
          const offlineGrant = state.records[accountId]?.grants[grantId]?.offline;
          if (offlineGrant) offlineGrant.reportedAtRevision = state.desired?.revision ?? 0;
        }
      });
    }
  }

  async #handOverLocks(): Promise<void> {
    const { control, offline, clock, log } = this.#o;
    for (let size = batchSize; offline.locks.length > 0;) {
      const batch = offline.locks.slice(0, size);
      try {
        const locks = batch.map(({ at, ...lock }) => ({ ...lock, secondsAgo: secondsBetween(at, clock.read()) }));
        await control.reportOfflineLogins([], locks);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (batch.length > 1) {
          size = 1;
          continue;
        }
        log.error({ detail: error.message, lock: batch[0]?.id }, 'The server refused to hear of a lock. It is dropped.');
      }
      offline.told(new Set(batch.map(({ id }) => id)));
    }
  }

  async #handOver(revision: number): Promise<number> {
    const { control, memory } = this.#o;
    let newest = revision;
    for (let size = batchSize; memory.state.reports.length > 0;) {
      const under = memory.state.reports[0]?.revision ?? revision;
      const batch = memory.state.reports.filter((report) => report.revision === under).slice(0, size);
      try {
        const sendable = batch.map((report) => this.#sendable(report));
        newest = Math.max(newest, await control.report(under, sendable));
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // One report that the server cannot take must not hold up the others: find it by sending them singly.
        if (batch.length > 1) {
          size = 1;
          continue;
        }
        this.#o.log.error({ accountId: batch[0]?.accountId, detail: error.message }, 'The server refused a report. It is dropped.');
      }
      const taken = new Set(batch.map((report) => JSON.stringify(report)));
      memory.change((state) => void (state.reports = state.reports.filter((report) => !taken.has(JSON.stringify(report)))));
    }
    return newest;
  }

  #sendable({ at, revision: _, ...report }: Memory['state']['reports'][number]) {
    return { ...report, secondsAgo: secondsBetween(at, this.#o.clock.read()) };
  }
}
