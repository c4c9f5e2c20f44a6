import { createHash, createPublicKey, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTHeaderParameters } from 'jose';

/** Who signs in: the id under which the public key is registered, and the Ed25519 private key, which never leaves the process. */
export interface Credential {
  id: string;
  privateKey: KeyObject;
}

/** Signs what proves a credential: client assertions (RFC 7523) and DPoP proofs (RFC 9449). `nowSeconds` is the server's time as far as known. */
export class KeyProof {
  readonly #credential: Credential;
  readonly #proofHeader: JWTHeaderParameters;

  constructor(credential: Credential) {
    if (credential.privateKey.type !== 'private' || credential.privateKey.asymmetricKeyType !== 'ed25519') {
      throw new TypeError('The credential must be an Ed25519 private key.');
    }
    this.#credential = credential;
    // The raw key is the end of its SPKI (RFC 8410 §4); not exported as JWK because that hangs at times on Node 20.
    const x = createPublicKey(credential.privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
    this.#proofHeader = { typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: 'OKP', crv: 'Ed25519', x } };
  }

  /** A client assertion for the token endpoint of `issuer`, good for 60 seconds and one use. */
  assertion(issuer: string, nowSeconds: number): Promise<string> {
    const { id, privateKey } = this.#credential;
    return new SignJWT({ iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: nowSeconds, exp: nowSeconds + 60 })
      .setProtectedHeader({ alg: 'EdDSA' })
      .sign(privateKey);
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
      .sign(this.#credential.privateKey);
  }
}
