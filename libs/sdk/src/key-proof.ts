import { createHash, createPublicKey, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, SignJWT, type JWTHeaderParameters } from 'jose';

/** A device or API client: the id under which its public key is registered, and the Ed25519 private key, which never leaves the process. */
export interface Credential {
  id: string;
  privateKey: KeyObject;
}

/** Signs with a private key what proves its holder: client assertions (RFC 7523) and DPoP proofs (RFC 9449). `nowSeconds` is the server's time as far as known. */
export class KeyProof {
  readonly #privateKey: KeyObject;
  readonly #jwk: { kty: 'OKP'; crv: 'Ed25519'; x: string };
  readonly #proofHeader: JWTHeaderParameters;

  constructor(privateKey: KeyObject) {
    if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519') {
      throw new TypeError('The credential must be an Ed25519 private key.');
    }
    this.#privateKey = privateKey;
    // The raw key is the end of its SPKI (RFC 8410 §4); not exported as JWK because that hangs at times on Node 20.
    const x = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
    this.#jwk = { kty: 'OKP', crv: 'Ed25519', x };
    this.#proofHeader = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: this.#jwk };
  }

  /** The key's JWK thumbprint (RFC 7638): what tokens are bound to. */
  thumbprint(): Promise<string> {
    return calculateJwkThumbprint(this.#jwk);
  }

  /** A client assertion for the token endpoint of `issuer`, good for 60 seconds and one use. */
  assertion(id: string, issuer: string, nowSeconds: number): Promise<string> {
    return new SignJWT({ iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: nowSeconds, exp: nowSeconds + 60 })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(this.#privateKey);
  }

  /** A DPoP proof for one request; `accessToken` binds it to the token (`ath`), `nonce` is the server's if it wanted one. */
  proof(request: { method: string; url: string; accessToken?: string; nonce?: string | undefined }, nowSeconds: number): Promise<string> {
    return new SignJWT({
      jti: randomUUID(),
      htm: request.method,
      htu: request.url,
      iat: nowSeconds,
      ...(request.accessToken === undefined ? {} : { ath: createHash('sha256').update(request.accessToken).digest('base64url') }),
      ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
    })
      .setProtectedHeader(this.#proofHeader)
      .sign(this.#privateKey);
  }
}
