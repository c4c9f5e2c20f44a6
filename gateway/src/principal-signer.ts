import { SignJWT } from 'jose';
import { principalToken, type Principal } from '@stint/contracts';
import type { Clock } from '@stint/kernel';
import type { SigningKeys } from './signing-keys.ts';

const renewBeforeMs = 10_000;

interface Signed {
  token: string;
  usableUntil: number;
}

/**
 * Signs who calls, for one subgraph each. A token serves every call of the same principal until 10 seconds before its
 * end; it is remembered only as long as the principal object itself, which the access-token cache bounds.
 */
export class PrincipalSigner {
  readonly #keys: SigningKeys;
  readonly #clock: Clock;
  readonly #signed = new WeakMap<Principal, Map<string, Signed>>();

  constructor(keys: SigningKeys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  async tokenFor(principal: Principal, subgraph: string): Promise<string> {
    let tokens = this.#signed.get(principal);
    if (!tokens) this.#signed.set(principal, (tokens = new Map()));
    const now = this.#clock.now().getTime();
    const known = tokens.get(subgraph);
    if (known && now < known.usableUntil) return known.token;

    const nowSeconds = Math.floor(now / 1000);
    const { kid, key } = this.#keys.signing;
    const token = await new SignJWT({ [principalToken.claim]: principal })
      .setProtectedHeader({ alg: principalToken.algorithm, kid })
      .setIssuer(principalToken.issuer)
      .setAudience(subgraph)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + principalToken.lifetimeSeconds)
      .sign(key);
    tokens.set(subgraph, { token, usableUntil: (nowSeconds + principalToken.lifetimeSeconds) * 1000 - renewBeforeMs });
    return token;
  }
}
