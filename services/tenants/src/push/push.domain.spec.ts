import { describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { isPushAddress, outcomeOf } from './push.domain.ts';

const hosts = ['fcm.googleapis.com', '*.push.apple.com', 'http://127.0.0.1:8123'];

test.each<[string, boolean]>([
  ['https://fcm.googleapis.com/fcm/send/abc', true],
  ['https://web.push.apple.com/abc', true],
  ['https://FCM.googleapis.com:443/abc', true],
  ['http://127.0.0.1:8123/abc', true],
  ['http://fcm.googleapis.com/abc', false],
  ['https://fcm.googleapis.com:8443/abc', false],
  ['https://push.apple.com/abc', false],
  ['https://evilpush.apple.com/abc', false],
  ['https://fcm.googleapis.com.evil.example/abc', false],
  ['https://user@fcm.googleapis.com/abc', false],
  ['https://:x@fcm.googleapis.com/abc', false],
  ['https://fcm.googleapis.com@evil.example/abc', false],
  ['https://evil.example#fcm.googleapis.com', false],
  ['https://127.0.0.1:8123/abc', false],
  ['http://127.0.0.1:8124/abc', false],
  ['http://127.1:8123@evil.example/', false],
  ['https://169.254.169.254/latest', false],
  ['https://[::1]/abc', false],
  ['file:///etc/passwd', false],
  ['//fcm.googleapis.com/abc', false],
  ['', false],
  [`https://fcm.googleapis.com/${'a'.repeat(1_000)}`, false],
])('push messages go to %s: %s', (address, allowed) => {
  expect(isPushAddress(address, hosts)).toBe(allowed);
});

describe('after an answer', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  const delivery = { attempts: 1, expiresAt: addSeconds(now, 100) };
  const again = (seconds: number) => ({ state: 'PENDING', dueAt: addSeconds(now, seconds) });

  test.each<[number | null, object, number | null, object]>([
    [201, {}, null, { state: 'SENT' }],
    [200, {}, null, { state: 'SENT' }],
    [404, {}, null, { state: 'GONE' }],
    [410, {}, null, { state: 'GONE' }],
    [307, {}, null, { state: 'FAILED' }],
    [400, {}, null, { state: 'FAILED' }],
    [403, {}, null, { state: 'FAILED' }],
    [413, {}, null, { state: 'FAILED' }],
    [null, {}, null, again(1)],
    [408, {}, null, again(1)],
    [500, { attempts: 4 }, null, again(8)],
    [503, { attempts: 40 }, null, again(32)],
    [429, {}, 60, again(60)],
    [429, {}, 100, { state: 'FAILED' }],
    [null, { expiresAt: addSeconds(now, 1) }, null, { state: 'FAILED' }],
  ])('%s with %j, to wait %s: %j', (status, change, retryAfter, expected) => {
    expect(outcomeOf({ ...delivery, ...change }, { status, retryAfter }, now)).toEqual(expected);
  });
});
