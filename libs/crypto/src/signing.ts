import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';

// DER of an Ed25519 SubjectPublicKeyInfo up to the 32 key bytes (RFC 8410 §10.1).
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** A new Ed25519 private key. */
export function generateSigningKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

/** The public half of an Ed25519 key as the `x` of its JWK (RFC 8037 §2). Taken from DER: exporting a fresh key as JWK can hang on Node 20. */
export function publicKeyX(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
}

/** The Ed25519 public key whose JWK has this `x`; throws for anything but 32 bytes in base64url. */
export function publicKeyFromX(x: string): KeyObject {
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.length !== 32) throw new RangeError('An Ed25519 public key has 32 bytes.');
  return createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' });
}

/** An Ed25519 private key from PKCS#8 PEM. */
export function privateKeyFromPem(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('Not an Ed25519 key.');
  return key;
}

/** An Ed25519 private key as PKCS#8 PEM: a secret. */
export function privateKeyToPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** The Ed25519 signature (RFC 8032) over `bytes`, in base64url. */
export function signDetached(key: KeyObject, bytes: Uint8Array): string {
  return sign(null, bytes, key).toString('base64url');
}

/** True when `signature` (base64url, in its one canonical spelling) is this key's over `bytes`. */
export function verifyDetached(publicKey: KeyObject, bytes: Uint8Array, signature: string): boolean {
  const decoded = Buffer.from(signature, 'base64url');
  return decoded.length === 64 && decoded.toString('base64url') === signature && verify(null, bytes, publicKey, decoded);
}
