import { calculateJwkThumbprint, SignJWT } from 'jose';
import { keep, kept } from '../auth/key-store.ts';

const algorithm = { name: 'Ed25519' };

/** The browser's own key, to which its tokens are bound (RFC 9449). It cannot be taken out of the browser, only used in it. */
export async function browserKey(): Promise<CryptoKeyPair> {
  const known = await kept<CryptoKeyPair>('dpop-key');
  if (known !== undefined) return known;
  const made = (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as CryptoKeyPair;
  await keep('dpop-key', made);
  return made;
}

/** A DPoP proof for one request; `accessToken` binds it to the token. */
export async function dpopProof(request: {
  method: string;
  url: string;
  accessToken?: string;
  nonce?: string | undefined;
}): Promise<string> {
  const { privateKey, publicKey } = await browserKey();
  const { kty, crv, x } = await crypto.subtle.exportKey('jwk', publicKey);
  const ath = request.accessToken === undefined ? {} : { ath: await sha256(request.accessToken) };
  const nonce = request.nonce === undefined ? {} : { nonce: request.nonce };
  return new SignJWT({ jti: crypto.randomUUID(), htm: request.method, htu: request.url, ...ath, ...nonce })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: { kty: kty ?? '', crv: crv ?? '', x: x ?? '' } })
    .setIssuedAt()
    .sign(privateKey);
}

/** The thumbprint of the browser's key (RFC 7638): binds a sign-in to it from the first step on (RFC 9449 §10). */
export async function keyThumbprint(): Promise<string> {
  const { publicKey } = await browserKey();
  return calculateJwkThumbprint(await crypto.subtle.exportKey('jwk', publicKey));
}

/** SHA-256 of the text, base64url. */
export async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));
}

/** Bytes as base64url without padding. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
