import { createDecipheriv, createHmac, hkdfSync, webcrypto } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decryptAesGcm } from './key-provider/file-key-provider.ts';
import { generateHpkeKeyPair, openSealed, publicKeyFromX, verifyDetached } from './index.ts';

// Published vectors that have caught real bugs (C2SP/wycheproof). They lie beside the repository and are no part of it.
const folder = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data', 'wycheproof');

interface Case {
  tcId: number;
  comment: string;
  result: 'valid' | 'invalid' | 'acceptable';
  [field: string]: unknown;
}
interface Group {
  tests: Case[];
  [field: string]: unknown;
}
const bytes = (hex: unknown) => Buffer.from(String(hex), 'hex');

/** The cases of a file on which `run` does not do what the file says; `run` answers true, or false or an error for what is invalid. */
async function wrong(file: string, run: (one: Case, group: Group) => boolean | Promise<boolean>): Promise<string[]> {
  const { testGroups, numberOfTests } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
    testGroups: Group[];
    numberOfTests: number;
  };
  const all = testGroups.flatMap((group) => group.tests.map((one) => ({ one, group })));
  expect(all).toHaveLength(numberOfTests);
  const found: string[] = [];
  for (const { one, group } of all) {
    const right = await Promise.resolve()
      .then(() => run(one, group))
      .catch(() => false);
    if (one.result !== 'acceptable' && right !== (one.result === 'valid')) found.push(`${one.tcId} ${one.comment}: ${String(right)}`);
  }
  return found;
}

if (existsSync(folder)) {
  describe('Wycheproof', () => {
    test('AES-GCM, with 256-bit keys and 96-bit IVs through the code that unwraps', async () => {
      let ours = 0;
      const failures = await wrong('aes_gcm_test.json', (one, { keySize, ivSize, tagSize }) => {
        const [key, iv, aad, ct, tag] = [bytes(one['key']), bytes(one['iv']), bytes(one['aad']), bytes(one['ct']), bytes(one['tag'])];
        let plaintext: Buffer;
        if (keySize === 256 && ivSize === 96) {
          ours += 1;
          plaintext = decryptAesGcm(key, Buffer.concat([iv, tag, ct]), aad);
        } else if (iv.length > 128) {
          // OpenSSL takes no longer ones; nobody here makes any but of 12 bytes.
          expect(() => createDecipheriv('aes-256-gcm', Buffer.alloc(32), iv)).toThrow();
          return one.result === 'valid';
        } else {
          const name = `aes-${Number(keySize)}-gcm` as 'aes-256-gcm';
          const decipher = createDecipheriv(name, key, iv, { authTagLength: Number(tagSize) / 8 })
            .setAAD(aad)
            .setAuthTag(tag);
          plaintext = Buffer.concat([decipher.update(ct), decipher.final()]);
        }
        return plaintext.equals(bytes(one['msg']));
      });
      expect(failures).toEqual([]);
      expect(ours).toBeGreaterThan(60);
    });

    // The one that HPKE is built on here (WebCrypto). `acceptable` are public keys that a library may refuse.
    test('X25519; a shared secret of zeros is never one', async () => {
      const { subtle } = webcrypto;
      const zeros: string[] = [];
      const failures = await wrong('x25519_test.json', async (one) => {
        const pkcs8 = Buffer.concat([bytes('302e020100300506032b656e04220420'), bytes(one['private'])]);
        const privateKey = await subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']);
        const publicKey = await subtle.importKey('raw', bytes(one['public']), 'X25519', false, []);
        const shared = Buffer.from(await subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, 256));
        if (shared.equals(Buffer.alloc(32))) zeros.push(`${one.tcId}`);
        return shared.equals(bytes(one['shared']));
      });
      expect(failures).toEqual([]);
      expect(zeros).toEqual([]);
    });

    test('HKDF-SHA256', async () => {
      const failures = await wrong('hkdf_sha256_test.json', (one) => {
        const okm = Buffer.from(hkdfSync('sha256', bytes(one['ikm']), bytes(one['salt']), bytes(one['info']), Number(one['size'])));
        return okm.equals(bytes(one['okm']));
      });
      expect(failures).toEqual([]);
    });

    test('Ed25519, through the code that verifies signatures', async () => {
      const failures = await wrong('ed25519_test.json', (one, group) => {
        const publicKey = publicKeyFromX(bytes((group['publicKey'] as { pk: string }).pk).toString('base64url'));
        return verifyDetached(publicKey, bytes(one['msg']), bytes(one['sig']).toString('base64url'));
      });
      expect(failures).toEqual([]);
    });

    test('HMAC-SHA1', async () => {
      const failures = await wrong('hmac_sha1_test.json', (one, { tagSize }) =>
        createHmac('sha1', bytes(one['key']))
          .update(bytes(one['msg']))
          .digest()
          .subarray(0, Number(tagSize) / 8)
          .equals(bytes(one['tag'])),
      );
      expect(failures).toEqual([]);
    });
  });
} else {
  test('Wycheproof vectors are absent: not run', () => {
    process.stdout.write(`Wycheproof vectors are absent: not run (looked in ${join('..', 'shared', 'data', 'wycheproof')})\n`);
  });
}

// Points of small order (RFC 7748 §6.1, RFC 9180 §7.1.4): whoever sends one would know the shared secret.
test.each(['00'.repeat(32), `01${'00'.repeat(31)}`, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'])(
  'what is sealed with the encapsulated key %s does not open',
  async (enc) => {
    const { privateKey } = await generateHpkeKeyPair();
    const sealed = { enc: bytes(enc).toString('base64url'), ciphertext: Buffer.alloc(40).toString('base64url') };
    await expect(openSealed({ privateKey, info: 'a', aad: 'b' }, sealed)).rejects.toThrow();
  },
);
