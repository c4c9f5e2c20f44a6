import { remainingMs } from '../deadline/deadline.domain.ts';
import type { DeviceClock } from '../deadline/device-clock.ts';
import type { HeldGrant, Memory } from '../state/memory.ts';
import type { Sessions } from './sessions.ts';
import { mustWarn, warningText } from './warning.domain.ts';

export interface SessionWarningsOptions {
  memory: Memory;
  clock: DeviceClock;
  sessions: Sessions;
  warned(held: HeldGrant, secondsLeft: number, message: string): void;
}

/** Tells sessions that they end soon, once per length: after an extension they are told again. */
export class SessionWarnings {
  readonly #o: SessionWarningsOptions;
  readonly #warnedForMs = new Map<string, number>();

  constructor(options: SessionWarningsOptions) {
    this.#o = options;
  }

  /** Called every second while a session runs. */
  run(): void {
    const { memory, clock, sessions, warned } = this.#o;
    const now = clock.read();
    for (const held of memory.grants()) {
      const { grantId, phase, deadline, warnSeconds } = held.grant;
      if (phase !== 'ACTIVE' || !deadline) {
        this.#warnedForMs.delete(grantId);
        continue;
      }
      const left = remainingMs(deadline, now);
      const { sessionMs } = deadline;
      if (!mustWarn({ warnSeconds, sessionMs, remainingMs: left, warnedForMs: this.#warnedForMs.get(grantId) })) continue;
      this.#warnedForMs.set(grantId, sessionMs);
      const secondsLeft = Math.ceil(left / 1000);
      const message = warningText(held.account.name ?? 'this account', secondsLeft);
      sessions.tell(held.grant, message);
      warned(held, secondsLeft, message);
    }
  }
}
