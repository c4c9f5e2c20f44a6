import type { KeyObject } from 'node:crypto';

/** Where a person's refresh token is kept between requests. Each counts once: its answer brings the next one. */
export interface RefreshTokens {
  /**
   * Runs `renew` with the present token and keeps what it answers, durably, before resolving; keeps the present one when
   * `renew` throws. One at a time, also among processes that share the store: a token used twice ends the session.
   */
  exchange(renew: (present: string) => Promise<string>): Promise<void>;
}

/** A person who is signed in: `signIn` and `signInWithBrowser` make one. */
export interface SignedInPerson {
  /** The OAuth client with which the person signed in. */
  clientId: string;
  refreshTokens: RefreshTokens;
  /** Ed25519; the session is bound to it, so that the refresh token alone is worth nothing. */
  dpopKey: KeyObject;
}

/** Keeps a refresh token in this process's memory alone. */
export function refreshTokenInMemory(token: string): RefreshTokens {
  let present = token;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    exchange(renew) {
      const mine = turn.then(async () => {
        present = await renew(present);
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
