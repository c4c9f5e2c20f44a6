import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';

interface SigningKey {
  /** RFC 7638 thumbprint. */
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JWK;
}

/**
 * The gateway's Ed25519 keys: the first signs, all verify. A key is rotated without a refused request by bringing the new
 * one in as the second everywhere, then turning the order round, then taking the old one away.
 */
export class SigningKeys {
  readonly #keys: readonly SigningKey[];

  private constructor(keys: readonly SigningKey[]) {
    this.#keys = keys;
  }

  static async of(privateKeys: readonly KeyObject[]): Promise<SigningKeys> {
    if (privateKeys.length === 0) throw new Error('The gateway needs a signing key.');
    return new SigningKeys(
      await Promise.all(
        privateKeys.map(async (privateKey) => {
          const publicKey = createPublicKey(privateKey);
          return { kid: await calculateJwkThumbprint(await exportJWK(publicKey)), privateKey, publicKey, jwk: await exportJWK(privateKey) };
        }),
      ),
    );
  }

  get signing(): { kid: string; key: KeyObject } {
    const [first] = this.#keys as readonly [SigningKey];
    return { kid: first.kid, key: first.privateKey };
  }

  /** The public half of the key with this id; undefined for one that is not the gateway's. */
  verifying(kid: string | undefined): KeyObject | undefined {
    return this.#keys.find((key) => key.kid === kid)?.publicKey;
  }

  /** Private JWKs, the signing one first. */
  get jwks(): (JWK & { kid: string; alg: string; use: string })[] {
    return this.#keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg: 'EdDSA', use: 'sig' }));
  }

  /** Secrets to sign cookies with, the first for new ones: a cookie lives on through a rotation. */
  get cookieSecrets(): string[] {
    // The derivation of one 32-byte key from a uniformly random one (NIST SP 800-108 with HMAC).
    return this.#keys.map(({ jwk }) =>
      createHmac('sha256', Buffer.from(jwk.d ?? '', 'base64url'))
        .update('stint-gateway-cookies-v1')
        .digest('base64url'),
    );
  }
}
