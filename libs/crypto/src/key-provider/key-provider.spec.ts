import { createCipheriv, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { fileKeyProvider, openKeyProvider, rootKeyIdOf, rootKeyProvider } from '../index.ts';
import { decryptAesGcm, encryptAesGcm } from './file-key-provider.ts';
import { readPkcs11Uri } from './pkcs11-uri.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-key-'));
function newFile(): string {
  const file = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return file;
}
const secret = Buffer.from('seed');

describe('wrapped secrets', () => {
  const provider = rootKeyProvider(randomBytes(32));

  test('open in their place and tell their root key', async () => {
    const envelope = await provider.wrap(secret, 'a');
    expect((await provider.unwrap(envelope, 'a')).toString()).toBe('seed');
    expect(rootKeyIdOf(envelope)).toBe(provider.rootKeyId);
    expect(provider.rootKeyId).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each<[string, (envelope: Buffer) => [Buffer, string]]>([
    ['moved', (envelope) => [envelope, 'b']],
    ['altered', (envelope) => [Buffer.concat([envelope.subarray(0, -1), Buffer.from([(envelope.at(-1) ?? 0) ^ 1])]), 'a']],
    ['cut', (envelope) => [envelope.subarray(0, 30), 'a']],
    ['empty', () => [Buffer.alloc(0), 'a']],
    ['of another version', (envelope) => [Buffer.concat([Buffer.from([2]), envelope.subarray(1)]), 'a']],
  ])('%s do not', async (_, change) => {
    const envelope = await provider.wrap(secret, 'a');
    await expect(provider.unwrap(...change(envelope))).rejects.toThrow();
  });

  test('under another root key do not open, and derived keys differ by label and root', async () => {
    const other = rootKeyProvider(randomBytes(32));
    await expect(other.unwrap(await provider.wrap(secret, 'a'), 'a')).rejects.toThrow('another root key');
    expect(await provider.derive('audit')).toEqual(await provider.derive('audit'));
    expect(await provider.derive('audit')).not.toEqual(await provider.derive('other'));
    expect(await provider.derive('audit')).not.toEqual(await other.derive('audit'));
  });
});

// NIST SP 800-38D allows tags down to 32 bits, and Node takes them unless told: each bit less halves a forger's work.
test.each([4, 8, 12, 13, 14, 15])('a GCM tag of %i bytes is refused, right as it is', (tagLength) => {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAAD(Buffer.from('a'));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  expect(decryptAesGcm(key, Buffer.concat([iv, cipher.getAuthTag(), ciphertext]), 'a')).toEqual(secret);
  const short = cipher.getAuthTag().subarray(0, tagLength);
  expect(() => decryptAesGcm(key, Buffer.concat([iv, short, ciphertext]), 'a')).toThrow();
  expect(() => decryptAesGcm(key, Buffer.concat([iv, short]), 'a')).toThrow();
});

test('every secret is wrapped under an IV of its own', () => {
  const key = randomBytes(32);
  const ivs = Array.from({ length: 1000 }, () => encryptAesGcm(key, secret, 'a').subarray(0, 12).toString('hex'));
  expect(new Set(ivs).size).toBe(1000);
});

describe('root keys in files', () => {
  test('the file must be the owner’s alone and hold a key', () => {
    const file = join(folder, 'root.key');
    writeFileSync(file, 'not a key', { mode: 0o600 });
    expect(() => fileKeyProvider(file)).toThrow('64 hex digits');
    writeFileSync(file, randomBytes(32).toString('hex'));
    fileKeyProvider(file);
    chmodSync(file, 0o644);
    expect(() => fileKeyProvider(file)).toThrow('chmod 600');
  });

  test('the current one wraps; former ones unwrap for as long as they are named', async () => {
    const [old, older, current] = [newFile(), newFile(), newFile()];
    const [before, longBefore] = [await fileKeyProvider(old).wrap(secret, 'a'), await fileKeyProvider(older).wrap(secret, 'a')];
    const provider = fileKeyProvider(current, old, older);
    for (const envelope of [before, longBefore]) expect(await provider.unwrap(envelope, 'a')).toEqual(secret);
    const now = await provider.wrap(secret, 'a');
    expect(rootKeyIdOf(now)).toBe(fileKeyProvider(current).rootKeyId);
    expect(await fileKeyProvider(current).unwrap(now, 'a')).toEqual(secret);
    await expect(fileKeyProvider(current, old).unwrap(longBefore, 'a')).rejects.toThrow('another root key');
    await expect(provider.derive('audit')).rejects.toThrow('former root keys');
  });

  test('the same one twice is a mistake', () => {
    const file = newFile();
    expect(() => fileKeyProvider(file, file)).toThrow('named twice');
  });
});

describe('a key provider in a configuration', () => {
  test('is a file by scheme or path, former ones after commas', async () => {
    const [current, old] = [newFile(), newFile()];
    const before = await fileKeyProvider(old).wrap(secret, 'a');
    for (const text of [`file:${current},file:${old}`, `file:${current}, ${old}`, `file://${current},${old}`])
      expect(await openKeyProvider(text).unwrap(before, 'a')).toEqual(secret);
  });

  test('of another kind moves: the token’s key wraps, the file’s still opens', async () => {
    const old = newFile();
    const before = await fileKeyProvider(old).wrap(secret, 'a');
    const provider = openKeyProvider(`aws-kms:arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000001,file:${old}`);
    expect(await provider.unwrap(before, 'a')).toEqual(secret);
    await expect(provider.derive('audit')).rejects.toThrow('does not leave its device');
    await provider.close();
  });

  const key = randomBytes(32).toString('hex');
  test.each([
    ['nothing', '', /named by/],
    ['a key instead of a file', key, /named by/],
    ['a relative path', 'file:root.key', /named by/],
    ['an alias', 'aws-kms:arn:aws:kms:eu-central-1:111122223333:alias/stint', /ARN/],
    ['a PIN in the URI', 'pkcs11:token=a;object=b?module-path=/m&pin-source=/p&pin-value=1234', /pin-value/],
    ['a URI without a PIN file', 'pkcs11:token=a;object=b?module-path=/m', /pin-source/],
  ])('%s is refused, and not repeated', (_, text, why) => {
    let said = '';
    try {
      openKeyProvider(text);
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(why);
    expect(said).not.toContain(key);
    expect(said).not.toContain('1234');
  });

  test('a PKCS #11 URI is read as RFC 7512 writes it', () => {
    expect(readPkcs11Uri('pkcs11:object=root%201;token=The%20Token?pin-source=file:///run/pin&module-path=/usr/lib/m.so')).toEqual({
      token: 'The Token',
      object: 'root 1',
      modulePath: '/usr/lib/m.so',
      pinFile: '/run/pin',
    });
  });
});
