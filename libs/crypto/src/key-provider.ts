import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** Wraps small secrets (seeds, data keys) under a root key that never leaves it. `aad` binds a wrapped secret to its place. */
export interface KeyProvider {
  wrap(plaintext: Buffer, aad: string): Promise<Buffer>;
  /** Throws when the envelope was altered, moved to another `aad` or wrapped under another root key. */
  unwrap(envelope: Buffer, aad: string): Promise<Buffer>;
  /** A 32-byte key for one other purpose, named by `label` (HKDF-SHA-256, RFC 5869). */
  derive(label: string): Promise<Buffer>;
}

// Envelope: version (1 byte) ‖ key id (8) ‖ IV (12) ‖ tag (16) ‖ ciphertext.
const version = 1;
const keyIdLength = 8;
const ivLength = 12;
const tagLength = 16;
const headerLength = 1 + keyIdLength + ivLength + tagLength;

/**
 * The root key as 64 hex digits in a file that only its owner may read (mode 0600 or stricter). AES-256-GCM with a
 * random 96-bit IV and a tag of always 128 bits (Node takes shorter ones unless told).
 */
export function fileKeyProvider(path: string): KeyProvider {
  if ((statSync(path).mode & 0o077) !== 0) throw new Error(`${path} can be read by others. Run: chmod 600 ${path}`);
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new Error(`${path} must hold a root key: 64 hex digits, for example from "openssl rand -hex 32".`);
  return rootKeyProvider(Buffer.from(text, 'hex'));
}

/** A key provider on a root key of 32 bytes in memory. */
export function rootKeyProvider(root: Buffer): KeyProvider {
  const keyId = createHash('sha256').update('stint-key-id\n').update(root).digest().subarray(0, keyIdLength);
  const key = Buffer.from(hkdfSync('sha256', root, '', 'stint-wrap-v1', 32));
  return {
    wrap(plaintext, aad) {
      const iv = randomBytes(ivLength);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength }).setAAD(Buffer.from(aad));
      const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return Promise.resolve(Buffer.concat([Buffer.from([version]), keyId, iv, cipher.getAuthTag(), ciphertext]));
    },
    unwrap(envelope, aad) {
      return Promise.resolve().then(() => {
        if (envelope.length < headerLength || envelope[0] !== version) throw new Error('Not a wrapped secret.');
        if (!envelope.subarray(1, 1 + keyIdLength).equals(keyId)) throw new Error('Wrapped under another root key.');
        const iv = envelope.subarray(1 + keyIdLength, 1 + keyIdLength + ivLength);
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength }).setAAD(Buffer.from(aad));
        decipher.setAuthTag(envelope.subarray(headerLength - tagLength, headerLength));
        return Buffer.concat([decipher.update(envelope.subarray(headerLength)), decipher.final()]);
      });
    },
    derive: (label) => Promise.resolve(Buffer.from(hkdfSync('sha256', root, '', `stint-derive-v1:${label}`, 32))),
  };
}
