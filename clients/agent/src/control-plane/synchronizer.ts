import type { Logger } from '@stint/host';
import { StintError } from '@stint/sdk';
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
    const [logins, locks] = await Promise.allSettled([this.#handOverOffline(), this.#handOverLocks()]);
    // Whatever came of it: what must end here is heard all the same.
    for (let round = 0; round < rounds; round++) {
      const revision = await this.#fetch();
      const newest = await this.#handOver(revision);
      if (newest <= revision) break;
    }
    for (const one of [logins, locks]) if (one.status === 'rejected') throw one.reason;
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
    await handOver({
      size: offlineBatchSize,
      waiting: () => memory.state.offlineLogins,
      send: (batch) =>
        control.reportOfflineLogins(
          batch.map(({ at, ...login }) => ({ ...login, secondsAgo: secondsBetween(at, clock.read()) })),
          [],
        ),
      refused: ({ grantId }, detail) => log.error({ detail, grantId }, 'The server refused an offline login.'),
      taken: (batch) => {
        const taken = new Set(batch.map(({ id }) => id));
        memory.change((state) => {
          state.offlineLogins = state.offlineLogins.filter(({ id }) => !taken.has(id));
          // From the next revision on the server has its say about them.
          for (const { accountId, grantId } of batch) {
            const offlineGrant = state.records[accountId]?.grants[grantId]?.offline;
            if (offlineGrant) offlineGrant.reportedAtRevision = state.desired?.revision ?? 0;
          }
        });
      },
    });
  }

  async #handOverLocks(): Promise<void> {
    const { control, offline, clock, log } = this.#o;
    await handOver({
      size: batchSize,
      waiting: () => offline.locks,
      send: (batch) =>
        control.reportOfflineLogins(
          [],
          batch.map(({ at, ...lock }) => ({ ...lock, secondsAgo: secondsBetween(at, clock.read()) })),
        ),
      refused: ({ id: lock }, detail) => log.error({ detail, lock }, 'The server refused to hear of a lock. It is dropped.'),
      taken: (batch) => offline.told(new Set(batch.map(({ id }) => id))),
    });
  }

  async #handOver(revision: number): Promise<number> {
    const { control, memory, log } = this.#o;
    let newest = revision;
    await handOver({
      size: batchSize,
      waiting: () => memory.state.reports,
      together: (one, other) => one.revision === other.revision,
      send: async (batch) => {
        const under = batch[0]?.revision ?? revision;
        const sendable = batch.map((report) => this.#sendable(report));
        newest = Math.max(newest, await control.report(under, sendable));
      },
      refused: ({ accountId }, detail) => log.error({ accountId, detail }, 'The server refused a report. It is dropped.'),
      taken: (batch) => {
        const taken = new Set(batch.map((report) => JSON.stringify(report)));
        memory.change((state) => void (state.reports = state.reports.filter((report) => !taken.has(JSON.stringify(report)))));
      },
    });
    return newest;
  }

  #sendable({ at, revision: _, ...report }: Memory['state']['reports'][number]) {
    return { ...report, secondsAgo: secondsBetween(at, this.#o.clock.read()) };
  }
}

interface HandOver<Item> {
  size: number;
  /** What the server has not taken yet. */
  waiting(): readonly Item[];
  /** Whether two may go in one batch; any two where it is left out. */
  together?(one: Item, other: Item): boolean;
  send(batch: readonly Item[]): Promise<void>;
  /** The server said no to it: it is dropped. */
  refused(item: Item, detail: string): void;
  taken(batch: readonly Item[]): void;
}

/**
 * Hands over all that waits. The server takes a batch whole or not at all: one that it refuses, or over which it stumbles,
 * is found by sending singly and must not keep it from hearing of the others. Throws when some is left.
 */
async function handOver<Item>(work: HandOver<Item>): Promise<void> {
  const left = new Set<string>();
  let failure: Error | null = null;
  for (let { size } = work; ;) {
    const waiting = work.waiting().filter((item) => !left.has(JSON.stringify(item)));
    const [first] = waiting;
    if (first === undefined) break;
    const batch = waiting.filter((item) => work.together?.(first, item) ?? true).slice(0, size);
    try {
      await work.send(batch);
    } catch (error) {
      const stumble = error instanceof StintError && error.code === 'INTERNAL' ? error : null;
      if (!(error instanceof Refused) && stumble === null) throw error;
      if (batch.length > 1) {
        size = 1;
        continue;
      }
      if (stumble !== null) {
        left.add(JSON.stringify(first));
        failure = stumble;
        continue;
      }
      work.refused(first, (error as Refused).message);
    }
    work.taken(batch);
  }
  if (failure !== null) throw failure;
}
