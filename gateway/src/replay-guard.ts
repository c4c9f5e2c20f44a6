import { Refusal, type Clock } from '@stint/kernel';

const maxRemembered = 500_000;

/**
 * Remembers ids for at least `windowSeconds`, so that a proof or assertion counts once while it would still be accepted.
 * Bounded: two generations of half a million; when one is full, new proofs are refused until it has aged, never let through unseen.
 * The memory is this process's own: a second gateway does not know it (README, "Limits").
 */
export class ReplayGuard {
  readonly #windowMs: number;
  readonly #clock: Clock;
  #current = new Set<string>();
  #previous = new Set<string>();
  #turnedAt: number;

  constructor(windowSeconds: number, clock: Clock) {
    this.#windowMs = windowSeconds * 1000;
    this.#clock = clock;
    this.#turnedAt = clock.now().getTime();
  }

  /** True the first time an id is seen; checks and remembers in one step. */
  once(id: string): boolean {
    this.#turn();
    if (this.#current.has(id) || this.#previous.has(id)) return false;
    if (this.#current.size >= maxRemembered) throw new Refusal('LIMITED', 'Too many requests at once. Try again in a minute.');
    this.#current.add(id);
    return true;
  }

  #turn(): void {
    const age = this.#clock.now().getTime() - this.#turnedAt;
    if (age < this.#windowMs) return;
    this.#previous = age < 2 * this.#windowMs ? this.#current : new Set();
    this.#current = new Set();
    this.#turnedAt += Math.floor(age / this.#windowMs) * this.#windowMs;
  }
}
