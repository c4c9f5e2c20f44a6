import { describe, expect, test } from '@jest/globals';
import {
  generateHpkeKeyPair,
  generatePassword,
  generateSigningKey,
  hashToken,
  matchTotp,
  newToken,
  openSealed,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromX,
  publicKeyX,
  sealTo,
  signDetached,
  totpCode,
  totpStep,
  totpUri,
  verifyDetached,
} from './index.ts';

describe('passwords', () => {
  test.each([12, 24, 127])('of %i characters have all four classes and nothing that chpasswd could misread', (length) => {
    for (let round = 0; round < 200; round += 1) {
      const password = generatePassword(length);
      expect(password).toHaveLength(length);
      expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*[2-9])(?=.*[^a-zA-Z0-9])[\x21-\x7e]+$/);
      expect(password).not.toMatch(/[:"'\\0O1lI|]/);
    }
  });

  test.each([0, 11, 128, 12.5, Number.NaN])('of %p characters are refused', (length) => {
    expect(() => generatePassword(length)).toThrow(RangeError);
  });
});

describe('TOTP', () => {
  const seed = Buffer.from('12345678901234567890');

  // RFC 6238, appendix B, SHA-1; the RFC prints eight digits, an app shows the last six.
  test.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('RFC 6238 at %i s', (seconds, eight) => {
    expect(totpCode(seed, totpStep(new Date(seconds * 1000)))).toBe(eight.slice(2));
  });

  const now = new Date('2026-11-23T12:00:10Z');
  const step = totpStep(now);
  test.each<[string, string, number | null, number | null]>([
    ['this step', totpCode(seed, step), null, step],
    ['the step before', totpCode(seed, step - 1), null, step - 1],
    ['the step after', totpCode(seed, step + 1), null, step + 1],
    ['two steps before', totpCode(seed, step - 2), null, null],
    ['two steps after', totpCode(seed, step + 2), null, null],
    ['used already', totpCode(seed, step), step, null],
    ['older than the last used', totpCode(seed, step - 1), step, null],
    ['newer than the last used', totpCode(seed, step + 1), step, step + 1],
    ['with a space', `${totpCode(seed, step)} `, null, null],
    ['with a newline', `${totpCode(seed, step)}\n`, null, null],
    ['with a leading zero more', `0${totpCode(seed, step)}`, null, null],
    ['in Arabic digits', totpCode(seed, step).replaceAll(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit))), null, null],
    ['empty', '', null, null],
  ])('a code of %s', (_, code, lastStep, expected) => {
    expect(matchTotp({ seed, code, now, lastStep })).toBe(expected);
  });

  test('the URI names issuer and account', () => {
    expect(totpUri(seed, { issuer: 'Stint', account: 'anna@example.com' })).toMatch(
      /^otpauth:\/\/totp\/Stint:anna(%40|@)example\.com\?.*secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ/,
    );
  });
});

describe('signatures', () => {
  const key = generateSigningKey();
  const publicKey = publicKeyFromX(publicKeyX(key));
  const message = Buffer.from('message');
  const signature = signDetached(key, message);

  // RFC 8032 §7.1, test 2.
  test('RFC 8032', () => {
    const known = publicKeyFromX(
      Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex').toString('base64url'),
    );
    const valid =
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
    expect(verifyDetached(known, Buffer.from([0x72]), Buffer.from(valid, 'hex').toString('base64url'))).toBe(true);
  });

  test.each<[string, boolean, () => boolean]>([
    ['its own', true, () => verifyDetached(publicKey, message, signature)],
    [
      'after a round trip through PEM',
      true,
      () => verifyDetached(publicKey, message, signDetached(privateKeyFromPem(privateKeyToPem(key)), message)),
    ],
    ['over another message', false, () => verifyDetached(publicKey, Buffer.from('other'), signature)],
    ['of another key', false, () => verifyDetached(publicKeyFromX(publicKeyX(generateSigningKey())), message, signature)],
    ['spelled otherwise', false, () => verifyDetached(publicKey, message, `${signature}=`)],
    ['cut short', false, () => verifyDetached(publicKey, message, signature.slice(0, -4))],
    ['empty', false, () => verifyDetached(publicKey, message, '')],
  ])('%s: %p', (_, expected, check) => {
    expect(check()).toBe(expected);
  });

  test.each(['', 'AAAA', 'x'.repeat(44)])('%j is no public key', (x) => {
    expect(() => publicKeyFromX(x)).toThrow();
  });
});

describe('sealed secrets', () => {
  test('open for their reader, purpose and place alone', async () => {
    const [reader, other] = [await generateHpkeKeyPair(), await generateHpkeKeyPair()];
    const place = { info: 'purpose', aad: 'place' };
    const sealed = await sealTo({ publicKey: reader.publicKey, ...place }, Buffer.from('secret'));
    expect((await openSealed({ privateKey: reader.privateKey, ...place }, sealed)).toString()).toBe('secret');
    await expect(openSealed({ privateKey: other.privateKey, ...place }, sealed)).rejects.toThrow();
    await expect(openSealed({ privateKey: reader.privateKey, ...place, aad: 'elsewhere' }, sealed)).rejects.toThrow();
    await expect(openSealed({ privateKey: reader.privateKey, ...place, info: 'other' }, sealed)).rejects.toThrow();
  });
});

test('one-time tokens are 128 random bits', () => {
  expect(newToken()).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(new Set(Array.from({ length: 1000 }, newToken)).size).toBe(1000);
  expect(hashToken('a')).toHaveLength(32);
});
