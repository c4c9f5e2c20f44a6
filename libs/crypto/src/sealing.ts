import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

/** The suite of every sealed secret (RFC 9180 §7: KEM 0x0020, KDF 0x0001, AEAD 0x0002). */
export const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** An X25519 key pair, each half 32 bytes in base64url. */
export interface HpkeKeyPair {
  publicKey: string;
  privateKey: string;
}

/** Ciphertext to one reader's key, both parts in base64url. */
export interface Sealed {
  /** The encapsulated key. */
  enc: string;
  ciphertext: string;
}

/** A new X25519 key pair for one reader of sealed secrets (RFC 9180 §7.1.3). */
export async function generateHpkeKeyPair(): Promise<HpkeKeyPair> {
  const pair = await suite.kem.generateKeyPair();
  return {
    publicKey: encode(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: encode(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}

/** Seals `plaintext` to a reader's public key (HPKE base mode). `info` names the purpose, `aad` binds it to its place. */
export async function sealTo(to: { publicKey: string; info: string; aad: string }, plaintext: Uint8Array): Promise<Sealed> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(decode(to.publicKey));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: bytes(to.info) });
  return { enc: encode(sender.enc), ciphertext: encode(await sender.seal(bytes(plaintext), bytes(to.aad))) };
}

/**
 * Opens what was sealed to this private key (base64url, or its 32 bytes, which stay the caller's to clear) under the same `info`
 * and `aad`; throws otherwise.
 */
export async function openSealed(by: { privateKey: string | Uint8Array; info: string; aad: string }, sealed: Sealed): Promise<Buffer> {
  const { privateKey } = by;
  const raw = bytes(typeof privateKey === 'string' ? Buffer.from(privateKey, 'base64url') : privateKey);
  const recipientKey = await suite.kem.deserializePrivateKey(raw);
  new Uint8Array(raw).fill(0);
  const recipient = await suite.createRecipientContext({ recipientKey, enc: decode(sealed.enc), info: bytes(by.info) });
  return Buffer.from(await recipient.open(decode(sealed.ciphertext), bytes(by.aad)));
}

function encode(buffer: ArrayBuffer): string {
  return Buffer.from(buffer).toString('base64url');
}

function decode(text: string): ArrayBuffer {
  return bytes(Buffer.from(text, 'base64url'));
}

function bytes(of: string | Uint8Array): ArrayBuffer {
  return Uint8Array.from(typeof of === 'string' ? Buffer.from(of) : of).buffer;
}
