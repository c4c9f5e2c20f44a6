import { createHmac } from 'node:crypto';
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
