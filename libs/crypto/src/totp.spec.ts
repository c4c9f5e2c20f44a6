import { createHmac, hkdfSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deviceTotpSeed, offlineTotpInfo, totpClockHint, totpCode, totpStep } from './totp.ts';

const seed = Buffer.from('12345678901234567890');
const now = new Date('2026-11-23T12:00:10Z');
const step = totpStep(now);

describe('a code of a clock that is off', () => {
  test.each<[string, string, number | null]>([
    ['right', totpCode(seed, step), null],
    ['one step behind: accepted as it is', totpCode(seed, step - 1), null],
    ['one step ahead: accepted as it is', totpCode(seed, step + 1), null],
    ['60 s behind', totpCode(seed, step - 2), -2],
    ['90 s ahead', totpCode(seed, step + 3), 3],
    ['10 minutes behind', totpCode(seed, step - 20), -20],
    ['10 minutes ahead', totpCode(seed, step + 20), 20],
    ['further off: no hint', totpCode(seed, step - 21), null],
    ['of another secret', totpCode(Buffer.from('another secret'), step - 3), null],
    ['with a space', `${totpCode(seed, step - 3)} `, null],
    ['with a line end', `${totpCode(seed, step - 3)}\n`, null],
    ['in Arabic digits', '٠١٢٣٤٥', null],
    ['empty', '', null],
  ])('%s', (_name, code, steps) => expect(totpClockHint(seed, code, now)).toBe(steps));
});

describe('the secret of one device', () => {
  const deviceId = '0190f000-0000-7000-8000-0000000000d1';

  test('is RFC 5869 by the letter: extract without salt, one block of expand', () => {
    const key = createHmac('sha256', Buffer.alloc(32)).update(seed).digest();
    const block = createHmac('sha256', key).update(`${offlineTotpInfo}${deviceId}`).update(Buffer.of(1)).digest();
    expect(deviceTotpSeed(seed, deviceId)).toEqual(block.subarray(0, 20));
  });

  test('is another one for another device or another technician', () => {
    const all = [
      seed,
      deviceTotpSeed(seed, deviceId),
      deviceTotpSeed(seed, deviceId.replace('d1', 'd2')),
      deviceTotpSeed(Buffer.from('another secret 12345'), deviceId),
    ];
    expect(new Set(all.map((one) => one.toString('hex'))).size).toBe(4);
  });
});

interface Vector {
  tcId: number;
  comment: string;
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
  result: 'valid' | 'invalid';
}
const wycheproof = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'data', 'wycheproof', 'hkdf_sha256_test.json');
const vectors = existsSync(wycheproof)
  ? (JSON.parse(readFileSync(wycheproof, 'utf8')) as { testGroups: { tests: Vector[] }[] }).testGroups.flatMap(({ tests }) => tests)
  : null;

// The vectors are not part of the repository: without ../shared/data/wycheproof they are skipped.
(vectors === null ? describe.skip : describe)(
  'HKDF-SHA-256 as we use it holds against Wycheproof (skipped without ../shared/data/wycheproof)',
  () => {
    test('every vector', () => {
      for (const { tcId, ikm, salt, info, size, okm, result } of vectors ?? []) {
        const derive = () =>
          Buffer.from(hkdfSync('sha256', Buffer.from(ikm, 'hex'), Buffer.from(salt, 'hex'), Buffer.from(info, 'hex'), size)).toString(
            'hex',
          );
        if (result === 'valid') expect([tcId, derive()]).toEqual([tcId, okm]);
        else expect(derive).toThrow();
      }
      expect(vectors?.length).toBeGreaterThan(50);
    });
  },
);
