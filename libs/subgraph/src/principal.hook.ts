import type { KeyObject } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { jwtVerify, type JWTVerifyResult } from 'jose';
import { systemClock, type Clock } from '@stint/kernel';
import { principal, principalToken, type Principal, type ServiceName } from '@stint/contracts';
import type { PrincipalRequest } from './request-context.ts';

const maxCached = 10_000;

/** Verifies the gateway's principal token: signature, issuer, audience, expiry, shape. Repeats within its life are remembered. */
export class PrincipalVerifier {
  readonly #keys: readonly KeyObject[];
  readonly #audience: ServiceName;
  readonly #clock: Clock;
  readonly #cache = new Map<string, { principal: Principal; expiresAt: number }>();

  constructor(gatewayPublicKeys: readonly KeyObject[], audience: ServiceName, clock: Clock = systemClock) {
    this.#keys = gatewayPublicKeys;
    this.#audience = audience;
    this.#clock = clock;
  }

  /** The principal, or null for a token that is not the gateway's word for this subgraph now. */
  async verify(token: string): Promise<Principal | null> {
    const known = this.#cache.get(token);
    if (known !== undefined && known.expiresAt > this.#clock.now().getTime()) return known.principal;
    const verified = await this.#verified(token);
    const parsed = principal.safeParse(verified?.payload[principalToken.claim]);
    if (verified === null || !parsed.success) return null;
    if (this.#cache.size >= maxCached) this.#cache.clear();
    this.#cache.set(token, { principal: parsed.data, expiresAt: (verified.payload.exp ?? 0) * 1000 });
    return parsed.data;
  }

  /** By any of the keys: while one is rotated, gateways sign with either. */
  async #verified(token: string): Promise<JWTVerifyResult | null> {
    for (const key of this.#keys) {
      const verified = await jwtVerify(token, key, {
        algorithms: [principalToken.algorithm],
        issuer: principalToken.issuer,
        audience: this.#audience,
        requiredClaims: ['exp'],
      }).catch(() => null);
      if (verified !== null) return verified;
    }
    return null;
  }
}

/** Refuses every GraphQL request without the gateway's principal before anything of it runs, `_service` and `_entities` included. */
export function requirePrincipal(app: FastifyInstance, verifier: PrincipalVerifier): void {
  app.addHook('onRequest', async (request: PrincipalRequest, reply) => {
    if (!request.url.startsWith('/graphql')) return;
    const token = request.headers[principalToken.header];
    const verified = typeof token === 'string' ? await verifier.verify(token) : null;
    if (verified === null) {
      await reply
        .code(401)
        .send({ errors: [{ message: 'Only the gateway may call a subgraph.', extensions: { code: 'UNAUTHENTICATED' } }] });
      return;
    }
    request.principal = verified;
  });
}
