import type { Clock } from '@stint/kernel';
import { BoundedCache } from './bounded-cache.ts';

/** How a sign-in session is named in a revocation, beside technicians, devices and API clients with their ids alone. */
export function sessionSubject(sessionId: string): string {
  return `session:${sessionId}`;
}

/**
 * Whose credentials were revoked a moment ago. Told by broadcast, so that tokens issued before end at once; should the
 * broadcast be lost, they still end by themselves within minutes.
 */
export class Revocations {
  readonly #revokedAt = new BoundedCache<number>(100_000);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  revoke(subjectId: string): void {
    this.#revokedAt.set(subjectId, this.#clock.now().getTime());
  }

  /** True for a token that was issued to the subject before its revocation. */
  covers(subjectId: string, issuedAtMs: number): boolean {
    const revokedAt = this.#revokedAt.get(subjectId);
    return revokedAt !== undefined && issuedAtMs <= revokedAt;
  }
}
