import { expect, test } from '@jest/globals';
import { PasskeyEmulator } from './index.ts';

const creation = {
  rp: { id: 'localhost', name: 'Stint' },
  user: { id: 'dXNlcg', name: 'ada@example.com', displayName: 'Ada' },
  challenge: 'Y2hhbGxlbmdl',
  pubKeyCredParams: [{ alg: -7, type: 'public-key' as const }],
};
const request = { rpId: 'localhost', challenge: 'Y2hhbGxlbmdl' };
const origin = 'http://localhost:4000';

test('a passkey that was kept in a file signs on with its counter', () => {
  const phone = new PasskeyEmulator();
  phone.register(creation, origin);
  const before = phone.sign(request, origin);
  const restored = new PasskeyEmulator(JSON.parse(JSON.stringify(phone)) as ReturnType<PasskeyEmulator['toJSON']>);
  const after = restored.sign(JSON.stringify(request), origin);
  expect(after.id).toBe(before.id);
  expect(counter(before)).toBe(1);
  expect(counter(after)).toBe(2);
});

test.each([
  ['an IP address', 'http://127.0.0.1:4000', { ...creation, rp: { id: '127.0.0.1', name: 'Stint' } }],
  ['another site', 'https://evil.example', creation],
  ['a site without TLS', 'http://stint.example', { ...creation, rp: { id: 'stint.example', name: 'Stint' } }],
])('a page of %s gets no passkey', (_, page, options) => {
  expect(() => new PasskeyEmulator().register(options, page)).toThrow('may not use passkeys');
});

test('without a passkey of the site nothing is signed', () => {
  expect(() => new PasskeyEmulator().sign(request, origin)).toThrow('no passkey');
});

function counter(response: ReturnType<PasskeyEmulator['sign']>): number {
  return Buffer.from(response.response.authenticatorData, 'base64url').readUInt32BE(33);
}
