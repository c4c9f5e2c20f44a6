const longestSeconds = 30;

/** When what failed is tried again: after 1, 2, 4, … 30 seconds, each kind of work of an account for itself. */
export class Retries {
  readonly #waiting = new Map<string, { tries: number; notBefore: number }>();

  mustWait(accountId: string, work: string): boolean {
    return (this.#waiting.get(`${accountId} ${work}`)?.notBefore ?? 0) > performance.now();
  }

  /** True when this is the first failure in a row. */
  failed(accountId: string, work: string): boolean {
    const key = `${accountId} ${work}`;
    const tries = (this.#waiting.get(key)?.tries ?? 0) + 1;
    this.#waiting.set(key, { tries, notBefore: performance.now() + Math.min(2 ** (tries - 1), longestSeconds) * 1000 });
    return tries === 1;
  }

  worked(accountId: string, work: string): void {
    this.#waiting.delete(`${accountId} ${work}`);
  }
}
