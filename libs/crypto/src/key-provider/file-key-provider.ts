import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { keyProviderOn, type KeyProvider, type RootKey } from './key-provider.ts';

export const ivLength = 12;
export const tagLength = 16;

/**
 * Root keys in files, each as 64 hex digits that only their owner may read (mode 0600 or stricter): wraps under the one in
 * `path`, unwraps under the former ones too. AES-256-GCM with a random 96-bit IV and a tag of always 128 bits (Node takes
 * shorter ones unless told).
 */
export function fileKeyProvider(path: string, ...former: readonly string[]): KeyProvider {
  return keyProviderOn(fileRootKey(path), former.map(fileRootKey));
}

/** A key provider on a root key of 32 bytes in memory. */
export function rootKeyProvider(root: Buffer): KeyProvider {
  return keyProviderOn(rootKeyInMemory(root));
}

/** The root key in a file. */
export function fileRootKey(path: string): RootKey {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others. Run: chmod 600 ${path}`);
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new Error(`${path} must hold a root key: 64 hex digits, for example from "openssl rand -hex 32".`);
  return rootKeyInMemory(Buffer.from(text, 'hex'));
}

function rootKeyInMemory(root: Buffer): RootKey {
  const key = Buffer.from(hkdfSync('sha256', root, '', 'stint-wrap-v1', 32));
  return {
    id: createHash('sha256').update('stint-key-id\n').update(root).digest().subarray(0, 8),
    encrypt: (plaintext, aad) => Promise.resolve(encryptAesGcm(key, plaintext, aad)),
    decrypt: (ciphertext, aad) => Promise.resolve().then(() => decryptAesGcm(key, ciphertext, aad)),
    derive: (label) => Buffer.from(hkdfSync('sha256', root, '', `stint-derive-v1:${label}`, 32)),
  };
}

/** AES-256-GCM (NIST SP 800-38D) under a random 96-bit IV: IV (12 bytes) ‖ tag (16) ‖ ciphertext. */
export function encryptAesGcm(key: Buffer, plaintext: Buffer, aad: string | Buffer): Buffer {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength }).setAAD(Buffer.from(aad));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]);
}

/** Opens what `encryptAesGcm` made; throws for anything that was altered or cut, a short tag included. */
export function decryptAesGcm(key: Buffer, sealed: Buffer, aad: string | Buffer): Buffer {
  if (sealed.length < ivLength + tagLength) throw new Error('Not a wrapped secret.');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivLength), { authTagLength: tagLength });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(sealed.subarray(ivLength, ivLength + tagLength));
  return Buffer.concat([decipher.update(sealed.subarray(ivLength + tagLength)), decipher.final()]);
}
