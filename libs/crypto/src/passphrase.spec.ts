import { createDecipheriv, scryptSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { openWithPassphrase, sealWithPassphrase } from './index.ts';

// Each derivation takes 128 MB and half a second, on a machine that does nothing else.
const by = { passphrase: 'grün correct horse', aad: 'place' };

test('opens with its passphrase, however it was typed, and as documented', async () => {
  const sealed = await sealWithPassphrase(by, Buffer.from('secret'));
  expect((await openWithPassphrase(by, sealed)).toString()).toBe('secret');
  expect((await openWithPassphrase({ ...by, passphrase: by.passphrase.normalize('NFD') }, sealed)).toString()).toBe('secret');
  // Without this library: scrypt of RFC 7914 and AES-256-GCM, IV and tag first.
  const bytes = Buffer.from(sealed.sealed, 'base64url');
  const key = scryptSync(by.passphrase, Buffer.from(sealed.salt, 'base64url'), 32, { N: 131_072, r: 8, p: 1, maxmem: 2 ** 28 });
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from('place')).setAuthTag(bytes.subarray(12, 28));
  expect(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString()).toBe('secret');
});

test('opens with nothing else, and not when anything was altered or cut', async () => {
  const sealed = await sealWithPassphrase(by, Buffer.from('secret'));
  await expect(openWithPassphrase({ ...by, passphrase: 'another' }, sealed)).rejects.toThrow();
  await expect(openWithPassphrase({ ...by, aad: 'elsewhere' }, sealed)).rejects.toThrow();
  const other = await sealWithPassphrase(by, Buffer.from('secret'));
  await expect(openWithPassphrase(by, { ...sealed, salt: other.salt })).rejects.toThrow();
  await expect(
    openWithPassphrase(by, { ...sealed, sealed: `${sealed.sealed.startsWith('A') ? 'B' : 'A'}${sealed.sealed.slice(1)}` }),
  ).rejects.toThrow();
  await expect(openWithPassphrase(by, { ...sealed, sealed: sealed.sealed.slice(0, -4) })).rejects.toThrow();
  await expect(openWithPassphrase(by, { ...sealed, sealed: '' })).rejects.toThrow();
  // The same is never sealed the same twice.
  expect(other.salt).not.toBe(sealed.salt);
  expect(other.sealed).not.toBe(sealed.sealed);
});
