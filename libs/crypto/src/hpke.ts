import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';

// Nothing of Node in this file: browsers open sealed secrets with it too.

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

/** A private key (base64url, or its 32 bytes, which stay the caller's to clear), and what it must have been sealed for. */
export interface Opener {
  privateKey: string | Uint8Array;
  info: string;
  aad: string;
}

/** A new X25519 key pair for one reader of sealed secrets (RFC 9180 §7.1.3). */
export async function generateHpkeKeyPair(): Promise<HpkeKeyPair> {
  const pair = await suite.kem.generateKeyPair();
  return {
    publicKey: encode(await suite.kem.serializePublicKey(pair.publicKey)),
    privateKey: encode(await suite.kem.serializePrivateKey(pair.privateKey)),
  };
}

/** Opens what was sealed to this private key under the same `info` and `aad`; throws otherwise. */
export async function openBytes({ privateKey, info, aad }: Opener, sealed: Sealed): Promise<Uint8Array> {
  const raw = typeof privateKey === 'string' ? decode(privateKey) : Uint8Array.from(privateKey);
  const recipientKey = await suite.kem.deserializePrivateKey(raw.buffer);
  raw.fill(0);
  const recipient = await suite.createRecipientContext({ recipientKey, enc: decode(sealed.enc).buffer, info: utf8(info) });
  return new Uint8Array(await recipient.open(decode(sealed.ciphertext).buffer, utf8(aad)));
}

/** Bytes in base64url without padding. */
export function encode(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The bytes of base64url; throws for anything else. */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

/** Text as bytes. */
export function utf8(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}
