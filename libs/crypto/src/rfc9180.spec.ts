import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openSealed } from './index.ts';
import { suite } from './hpke.ts';

interface Vector {
  info: string;
  ikmR: string;
  skRm: string;
  pkRm: string;
  ikmE: string;
  skEm: string;
  enc: string;
  encryptions: { aad: string; pt: string; ct: string }[];
}

const vector = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'test-data', 'rfc9180-x25519-hkdf-sha256-aes256gcm.json'), 'utf8'),
) as Vector;
const bytes = (hex: string): ArrayBuffer => Uint8Array.from(Buffer.from(hex, 'hex')).buffer;
const hex = (buffer: ArrayBuffer) => Buffer.from(buffer).toString('hex');
const base64url = (text: string) => Buffer.from(text, 'hex').toString('base64url');
const first = vector.encryptions[0] ?? { aad: '', pt: '', ct: '' };

describe('RFC 9180: X25519, HKDF-SHA256, AES-256-GCM, base mode', () => {
  test('key pairs come from their seeds as published', async () => {
    const pair = await suite.kem.deriveKeyPair(bytes(vector.ikmR));
    expect(hex(await suite.kem.serializePublicKey(pair.publicKey))).toBe(vector.pkRm);
    expect(hex(await suite.kem.serializePrivateKey(pair.privateKey))).toBe(vector.skRm);
  });

  test('what we open with is the published suite', async () => {
    const by = { privateKey: base64url(vector.skRm), info: text(vector.info), aad: text(first.aad) };
    const opened = await openSealed(by, { enc: base64url(vector.enc), ciphertext: base64url(first.ct) });
    expect(opened.toString('hex')).toBe(first.pt);
    const altered = { enc: base64url(vector.enc), ciphertext: base64url(first.ct.replace(/a$/, 'b')) };
    await expect(openSealed(by, altered)).rejects.toThrow();
    await expect(openSealed({ ...by, aad: 'Count-1' }, { ...altered, ciphertext: base64url(first.ct) })).rejects.toThrow();
  });

  test('sealing with the published ephemeral key gives the published ciphertexts', async () => {
    const recipientPublicKey = await suite.kem.deserializePublicKey(bytes(vector.pkRm));
    const ekm = await suite.kem.deriveKeyPair(bytes(vector.ikmE));
    expect(hex(await suite.kem.serializePrivateKey(ekm.privateKey))).toBe(vector.skEm);
    const sender = await suite.createSenderContext({ recipientPublicKey, info: bytes(vector.info), ekm });
    expect(hex(sender.enc)).toBe(vector.enc);
    for (const { aad, pt, ct } of vector.encryptions) expect(hex(await sender.seal(bytes(pt), bytes(aad)))).toBe(ct);
  });
});

function text(ofHex: string): string {
  return Buffer.from(ofHex, 'hex').toString();
}
