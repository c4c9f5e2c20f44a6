import { createHash } from 'node:crypto';

/** Wraps small secrets (seeds, data keys) under a root key that never leaves it. `aad` binds a wrapped secret to its place. */
export interface KeyProvider {
  /** The root key under which `wrap` wraps: 16 hex digits. */
  readonly rootKeyId: string;
  /** The root keys under which `unwrap` unwraps: the current one and former ones. */
  readonly knownRootKeyIds: readonly string[];
  wrap(plaintext: Buffer, aad: string): Promise<Buffer>;
  /** Throws when the envelope was altered, moved to another `aad` or wrapped under a root key that is not known here. */
  unwrap(envelope: Buffer, aad: string): Promise<Buffer>;
  /** A 32-byte key for one other purpose, named by `label` (HKDF-SHA-256, RFC 5869). Only a root key in a file can do it. */
  derive(label: string): Promise<Buffer>;
  /** Lets go of what it holds open, such as a session with a token. */
  close(): Promise<void>;
}

/** One root key, wherever it is. It wraps bytes; the envelope around them is ours. */
export interface RootKey {
  /** 8 bytes that tell it from every other root key. */
  readonly id: Buffer;
  encrypt(plaintext: Buffer, aad: string): Promise<Buffer>;
  decrypt(ciphertext: Buffer, aad: string): Promise<Buffer>;
  derive?(label: string): Buffer;
  close?(): void;
}

// Envelope: version (1 byte) ‖ id of the root key (8) ‖ what the root key made of it. With AES-256-GCM in a file or on a
// token that is IV (12) ‖ tag (16) ‖ ciphertext.
const version = 1;
const idLength = 8;

/** The root key under which an envelope was wrapped: 16 hex digits. Throws for what is no envelope. */
export function rootKeyIdOf(envelope: Buffer): string {
  if (envelope.length <= 1 + idLength || envelope[0] !== version) throw new Error('Not a wrapped secret.');
  return envelope.subarray(1, 1 + idLength).toString('hex');
}

/** The id of a root key that is known by a name (8 bytes of a SHA-256). */
export function idOfNamedRootKey(kind: string, name: string): Buffer {
  return createHash('sha256').update(`stint-key-id\n${kind}\n${name}`).digest().subarray(0, idLength);
}

/** A key provider that wraps under `current` and unwraps under any of the root keys: they may be in different places. */
export function keyProviderOn(current: RootKey, former: readonly RootKey[] = []): KeyProvider {
  const byId = new Map([...former, current].map((key) => [key.id.toString('hex'), key]));
  if (byId.size !== 1 + former.length) throw new Error('The same root key is named twice.');
  return {
    rootKeyId: current.id.toString('hex'),
    knownRootKeyIds: [...byId.keys()],
    async wrap(plaintext, aad) {
      return Buffer.concat([Buffer.of(version), current.id, await current.encrypt(plaintext, aad)]);
    },
    async unwrap(envelope, aad) {
      const key = byId.get(rootKeyIdOf(envelope));
      if (key === undefined) throw new Error('Wrapped under another root key.');
      return key.decrypt(envelope.subarray(1 + idLength), aad);
    },
    derive(label) {
      return Promise.resolve().then(() => {
        if (current.derive === undefined)
          throw new Error('No key can be derived from a root key that does not leave its device. Use a root key in a file for this.');
        // What was derived is not wrapped anywhere: under a new root key it would silently be another one.
        if (former.length > 0)
          throw new Error('A derived key belongs to one root key. Use a key provider without former root keys for this.');
        return current.derive(label);
      });
    },
    close() {
      for (const key of byId.values()) key.close?.();
      return Promise.resolve();
    },
  };
}
