import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { principalToken, type Principal, type ServiceName } from '@stint/contracts';

/** A gateway's signing key for tests that speak to a subgraph directly. */
export class TestGateway {
  readonly #privateKey: KeyObject;
  readonly publicKey: KeyObject;

  constructor() {
    const pair = generateKeyPairSync('ed25519');
    this.#privateKey = pair.privateKey;
    this.publicKey = pair.publicKey;
  }

  /** The `x` of the public key's JWK, as a service's configuration takes it. */
  get publicKeyX(): string {
    return this.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
  }

  /** Headers of a request from `principal` to `audience`. */
  async headers(principal: Principal, audience: ServiceName): Promise<Record<string, string>> {
    const token = await new SignJWT({ [principalToken.claim]: principal })
      .setProtectedHeader({ alg: principalToken.algorithm })
      .setIssuer(principalToken.issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${principalToken.lifetimeSeconds}s`)
      .sign(this.#privateKey);
    return { 'content-type': 'application/json', [principalToken.header]: token };
  }
}
