import type { Clock } from '@stint/kernel';

/**
 * The server's time, learned from its `Date` header: proofs are good for a minute only, and computers in the field have
 * wrong clocks. Differences below 30 seconds are within the server's tolerance and left alone.
 */
export class ServerTime {
  readonly #clock: Clock;
  #offsetSeconds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  seconds(): number {
    return Math.floor(this.#clock.now().getTime() / 1000) + this.#offsetSeconds;
  }

  /** Takes the time of an answer that refused a proof; true when it changed what `seconds` tells, so that trying again makes sense. */
  learn(response: Response): boolean {
    const server = Date.parse(response.headers.get('date') ?? '');
    if (Number.isNaN(server)) return false;
    const difference = Math.floor(server / 1000) - this.seconds();
    if (Math.abs(difference) < 30) return false;
    this.#offsetSeconds += difference;
    return true;
  }
}
