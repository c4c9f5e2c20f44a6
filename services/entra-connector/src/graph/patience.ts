import type { Clock } from '@stint/kernel';
import { DirectoryError } from './directory-error.ts';
import type { Urgency } from './directory.port.ts';
import { retryDelayMs, waitBudgetMs } from './retry.domain.ts';

/** Waits so long. Tests move their clock instead. */
export type Delay = (ms: number) => Promise<void>;

export interface PatienceOptions {
  clock: Clock;
  delay: Delay;
  /** A number from 0 to 1, evenly spread. */
  chance: () => number;
}

/** Tries again what may be tried again. Who was told to wait by one Entra tenant lets everybody wait who calls it. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #pausedUntil = new Map<string, number>();

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Calls `attempt` until it goes well, or what it throws says that there is no point or no time left. */
  async run<Result>(call: { key: string; urgency: Urgency; repeatable: boolean }, attempt: () => Promise<Result>): Promise<Result> {
    let waitedMs = 0;
    for (let attempts = 1; ; attempts += 1) {
      waitedMs += await this.#waitForPause(call, waitedMs);
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        if (error.kind === 'THROTTLED' && error.retryAfterSeconds !== null) this.#pause(call.key, error.retryAfterSeconds);
        const delayMs = retryDelayMs(error, { attempts, waitedMs, ...call }, this.#options.chance());
        if (delayMs === null) throw error;
        await this.#options.delay(delayMs);
        waitedMs += delayMs;
      }
    }
  }

  #pause(key: string, seconds: number): void {
    const now = this.#options.clock.now().getTime();
    for (const [other, until] of this.#pausedUntil) if (until <= now) this.#pausedUntil.delete(other);
    this.#pausedUntil.set(key, Math.max(now + seconds * 1000, this.#pausedUntil.get(key) ?? 0));
  }

  /** Waits until calls to this tenant may go on, and answers how long that was. Calls while throttled would count against us. */
  async #waitForPause({ key, urgency }: { key: string; urgency: Urgency }, waitedMs: number): Promise<number> {
    const leftMs = (this.#pausedUntil.get(key) ?? 0) - this.#options.clock.now().getTime();
    if (leftMs <= 0) return 0;
    if (waitedMs + leftMs > waitBudgetMs[urgency]) {
      throw new DirectoryError({
        kind: 'THROTTLED',
        message: 'Microsoft wants fewer calls to this tenant at the moment. Stint will try again.',
        retryAfterSeconds: Math.ceil(leftMs / 1000),
      });
    }
    await this.#options.delay(leftMs);
    return leftMs;
  }
}
