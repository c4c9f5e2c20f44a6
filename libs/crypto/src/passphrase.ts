import { randomBytes, scrypt } from 'node:crypto';
import { decryptAesGcm, encryptAesGcm } from './key-provider/file-key-provider.ts';

/** What a passphrase keeps closed: how its key is made, and what it encrypts, in base64url. */
export interface PassphraseSealed {
  kdf: typeof passphraseKdf;
  salt: string;
  /** IV (12 bytes), tag (16), ciphertext. */
  sealed: string;
}

/** How the key of AES-256-GCM is made of a passphrase (RFC 7914): N, r, p; each guess takes 128 MiB. */
export const passphraseKdf = 'scrypt-131072-8-1';
const cost = { N: 131_072, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const;

/** Encrypts under a passphrase; `aad` is what must stand beside it unchanged. */
export async function sealWithPassphrase(by: { passphrase: string; aad: string }, plaintext: Uint8Array): Promise<PassphraseSealed> {
  const salt = randomBytes(16);
  const key = await keyOf(by.passphrase, salt);
  const sealed = encryptAesGcm(key, Buffer.from(plaintext), by.aad);
  key.fill(0);
  return { kdf: passphraseKdf, salt: salt.toString('base64url'), sealed: sealed.toString('base64url') };
}

/** Opens what `sealWithPassphrase` made; throws for another passphrase, and for anything that was altered. */
export async function openWithPassphrase(by: { passphrase: string; aad: string }, { salt, sealed }: PassphraseSealed): Promise<Buffer> {
  const key = await keyOf(by.passphrase, Buffer.from(salt, 'base64url'));
  try {
    return decryptAesGcm(key, Buffer.from(sealed, 'base64url'), by.aad);
  } finally {
    key.fill(0);
  }
}

/** The same passphrase is the same bytes on every keyboard and system (Unicode NFKC, as RFC 8265 does it). */
function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize('NFKC'), salt, 32, cost, (error, key) => (error === null ? resolve(key) : reject(error))),
  );
}
