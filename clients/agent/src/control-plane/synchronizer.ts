import type { Logger } from '@stint/host';
import { secondsBetween } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import type { Reconciler } from '../desired-state/reconciler.ts';
import type { Memory } from '../state/memory.ts';
import { Refused, type ControlPlane } from './control-plane.ts';

const batchSize = 100;
const rounds = 5;

export interface SynchronizerOptions {
  control: ControlPlane;
  memory: Memory;
  clock: DeviceClock;
  reconciler: Reconciler;
  log: Logger;
}

/** Fetches the desired state, has it made real, and hands reports over until the server took them. */
export class Synchronizer {
  readonly #o: SynchronizerOptions;

  constructor(options: SynchronizerOptions) {
    this.#o = options;
  }

  /** One whole check-in. Throws when the server gave no usable answer; nothing is lost then. */
  async run(): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const revision = await this.#fetch();
      const newest = await this.#handOver(revision);
      if (newest <= revision) return;
    }
  }

  async #fetch(): Promise<number> {
    const { control, memory, clock, reconciler } = this.#o;
    const { revision, checkInSeconds, accounts } = await control.checkIn(memory.state.desired?.revision ?? null);
    if (checkInSeconds !== memory.state.checkInSeconds) memory.change((state) => void (state.checkInSeconds = checkInSeconds));
    if (accounts) {
      memory.change((state) => void (state.desired = { revision, accounts, receivedAt: clock.read() }));
      await reconciler.run();
      await reconciler.reportAll();
    }
    return revision;
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
