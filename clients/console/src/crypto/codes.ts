import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { Secret, TOTP, URI } from 'otpauth';
import { base64url } from './dpop.ts';
import { keep, kept } from '../auth/key-store.ts';

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
const enrollmentInfo = 'stint-totp-enrollment-v1';
const offlineInfo = 'stint-offline-totp-v1';

/** Asks for a new secret by `enroll`, which gets the key to seal it to; opens it here and keeps it in this browser. Answers its `otpauth://` URI. */
export async function receiveSecret(
  technicianId: string,
  enroll: (recipientKey: string) => Promise<{ enc: string; ciphertext: string }>,
): Promise<string> {
  const keys = await suite.kem.generateKeyPair();
  const recipientKey = base64url(new Uint8Array(await suite.kem.serializePublicKey(keys.publicKey)));
  const sealed = await enroll(recipientKey);
  const opener = await suite.createRecipientContext({ recipientKey: keys.privateKey, enc: bytes(sealed.enc), info: text(enrollmentInfo) });
  const uri = new TextDecoder().decode(await opener.open(bytes(sealed.ciphertext), text(technicianId)));
  await keep('totp-uri', uri);
  return uri;
}

/** The code for a computer that is online; null when this browser has no secret. */
export async function onlineCode(): Promise<string | null> {
  const totp = await enrolled();
  return totp?.generate() ?? null;
}

/** The code for one computer that is offline: from a secret that is derived for it, HKDF-SHA-256 over ours (RFC 5869). */
export async function offlineCode(deviceId: string): Promise<string | null> {
  const totp = await enrolled();
  if (totp === null) return null;
  const key = await crypto.subtle.importKey('raw', Uint8Array.from(totp.secret.bytes), 'HKDF', false, ['deriveBits']);
  const info = text(`${offlineInfo}${deviceId}`);
  const seed = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }, key, 160);
  return new TOTP({ secret: new Secret({ buffer: seed }) }).generate();
}

async function enrolled(): Promise<TOTP | null> {
  const uri = await kept<string>('totp-uri');
  if (uri === undefined) return null;
  const parsed = URI.parse(uri);
  return parsed instanceof TOTP ? parsed : null;
}

function text(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value) as Uint8Array<ArrayBuffer>;
}

function bytes(encoded: string): Uint8Array<ArrayBuffer> {
  const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
