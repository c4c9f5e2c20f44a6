import type { Clock } from '@stint/kernel';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import type { MessagingLog } from './messaging.ts';

/** Work on rows whose time has come. Run by every replica: claim rows by `for update skip locked`. */
export interface Sweep {
  name: string;
  everyMs: number;
  /** Handles one batch and answers how many rows it was; called again at once until it answers 0. */
  run(tx: SystemTx, now: Date): Promise<number>;
}

/**
 * Work that asks something outside of the database, such as a key provider, and must hold no transaction meanwhile: it opens its
 * own, before and after. Replicas do it side by side, so that each change says which state it follows.
 */
export interface SlowSweep {
  name: string;
  everyMs: number;
  /** Handles one batch and answers how many rows it was; called again at once until it answers 0. */
  step(tenancy: Tenancy, now: Date): Promise<number>;
}

/** Runs sweeps for as long as the process lives. Correctness rests on these, never on a queue's timers. */
export class Sweeper {
  readonly #tenancy: Tenancy;
  readonly #clock: Clock;
  readonly #log: MessagingLog;
  readonly #loops: Promise<void>[] = [];
  readonly #stop = new AbortController();

  constructor(options: { tenancy: Tenancy; clock: Clock; log: MessagingLog }) {
    this.#tenancy = options.tenancy;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  start(sweeps: readonly (Sweep | SlowSweep)[]): void {
    this.#loops.push(...sweeps.map((sweep) => this.#loop(sweep)));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  /** Runs one sweep until nothing is due. */
  async runOnce(sweep: Sweep | SlowSweep): Promise<void> {
    let handled: number;
    do {
      const now = this.#clock.now();
      handled = 'step' in sweep ? await sweep.step(this.#tenancy, now) : await this.#tenancy.asSystem((tx) => sweep.run(tx, now));
    } while (handled > 0 && !this.#stop.signal.aborted);
  }

  async #loop(sweep: Sweep | SlowSweep): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.runOnce(sweep).catch((error: unknown) =>
        this.#log.error({ err: error, sweep: sweep.name }, 'a sweep failed; it will run again'),
      );
      await this.#clock.pause(sweep.everyMs, this.#stop.signal);
    }
  }
}
