import { describe, expect, test } from '@jest/globals';
import { PasskeyEmulator, type Attack, type PasskeyAlgorithm } from '@stint/passkey-emulator';
import {
  passkeyRegistrationOptions,
  passkeyRequestOptions,
  readPasskeyResponse,
  verifyPasskeyAssertion,
  verifyPasskeyRegistration,
} from './index.ts';

const rpId = 'stint.example.com';
const origin = 'https://stint.example.com';
const user = { id: Buffer.from('0198c5a0'), name: 'ada@example.com', displayName: 'Ada' };

async function register(attack: Attack & { algorithm?: PasskeyAlgorithm } = {}, phone = new PasskeyEmulator()) {
  const { challenge, optionsJson } = await passkeyRegistrationOptions({ rpId, user, timeoutSeconds: 300 });
  const response = JSON.stringify(phone.register(optionsJson, origin, attack));
  return { phone, response, verdict: await verifyPasskeyRegistration(response, { challenge, origin, rpId }) };
}

async function registered(attack: Parameters<typeof register>[0] = {}) {
  const { phone, verdict } = await register(attack);
  if (!verdict.ok) throw new Error(verdict.failure);
  return { phone, ...verdict };
}

async function assertion(
  more: { attack?: Attack; counter?: number; change?: (response: ReturnType<PasskeyEmulator['sign']>) => unknown } = {},
) {
  const { phone, passkey } = await registered();
  const { challenge, optionsJson } = await passkeyRequestOptions({ rpId, timeoutSeconds: 120 });
  const response = phone.sign(optionsJson, origin, more.attack);
  const json = JSON.stringify(more.change?.(response) ?? response);
  return verifyPasskeyAssertion(json, { challenge, origin, rpId, passkey, ...(more.counter !== undefined && { counter: more.counter }) });
}

const elsewhere: [string, Attack, string][] = [
  ['without user verification', { userVerified: false }, 'user-verification'],
  ['without user presence', { userPresent: false }, 'user-verification'],
  ['made on another site', { origin: 'https://stint.example.com.evil.example' }, 'origin'],
  ['made without TLS', { origin: 'http://stint.example.com' }, 'origin'],
  ['made in a frame of another site', { crossOrigin: true }, 'origin'],
  ['made for another site', { rpId: 'evil.example' }, 'rp-id'],
  ['over another challenge', { challenge: 'AAAA' }, 'challenge'],
];

describe('a registration', () => {
  test.each<[string, PasskeyAlgorithm]>([
    ['ES256', -7],
    ['EdDSA', -8],
    ['RS256', -257],
  ])('with %s gives a passkey whose assertions are right', async (_, algorithm) => {
    const { phone, passkey, backedUp } = await registered({ algorithm });
    expect(passkey).toMatchObject({ id: phone.passkeys[0]?.credentialId, algorithm });
    expect(backedUp).toBe(true);
    const { challenge, optionsJson } = await passkeyRequestOptions({ rpId, allow: [passkey.id], timeoutSeconds: 120 });
    const response = JSON.stringify(phone.sign(optionsJson, origin));
    expect(await verifyPasskeyAssertion(response, { challenge, origin, rpId, passkey })).toEqual({ ok: true, counter: 1, backedUp: true });
  });

  test.each([...elsewhere, ['of another kind', { type: 'webauthn.get' }, 'type']] as typeof elsewhere)(
    '%s is refused',
    async (_, attack, failure) => {
      expect((await register(attack)).verdict).toEqual({ ok: false, failure });
    },
  );

  test('under another id is refused', async () => {
    const { challenge, optionsJson } = await passkeyRegistrationOptions({ rpId, user, timeoutSeconds: 300 });
    const response = JSON.stringify({ ...new PasskeyEmulator().register(optionsJson, origin), id: 'AAAA', rawId: 'AAAA' });
    expect(await verifyPasskeyRegistration(response, { challenge, origin, rpId })).toEqual({ ok: false, failure: 'other-passkey' });
  });

  test('excludes what is on the device already', async () => {
    const { phone, passkey } = await registered();
    const { optionsJson } = await passkeyRegistrationOptions({ rpId, user, exclude: [passkey.id], timeoutSeconds: 300 });
    expect(() => phone.register(optionsJson, origin)).toThrow('already');
  });

  test.each([
    '',
    '[]',
    'null',
    '{}',
    '{"response":{}}',
    '{"response":{"attestationObject":"oA","clientDataJSON":"e30"}}',
    `"${'x'.repeat(9000)}"`,
  ])('of %p is malformed', async (response) => {
    expect(await verifyPasskeyRegistration(response, { challenge: 'AAAA', origin, rpId })).toEqual({ ok: false, failure: 'malformed' });
  });
});

describe('an assertion', () => {
  test.each([...elsewhere, ['of another kind', { type: 'webauthn.create' }, 'type']] as typeof elsewhere)(
    '%s is refused',
    async (_, attack, failure) => {
      expect(await assertion({ attack })).toEqual({ ok: false, failure });
    },
  );

  test.each([
    ['grows', 6, 5, true],
    ['stays', 5, 5, false],
    ['goes back', 4, 5, false],
    ['goes back to 0', 0, 5, false],
    ['begins', 1, 0, true],
    ['never counts', 0, 0, true],
  ])('whose counter %s', async (_, told, counter, ok) => {
    expect(await assertion({ attack: { counter: told }, counter })).toMatchObject(ok ? { ok, counter: told } : { ok, failure: 'counter' });
  });

  test.each<[string, (response: ReturnType<PasskeyEmulator['sign']>) => unknown, string]>([
    ['with another signature', (it) => ({ ...it, response: { ...it.response, signature: 'MEUCIQDAAAA' } }), 'malformed'],
    [
      'with altered authenticator data',
      (it) => ({ ...it, response: { ...it.response, authenticatorData: raised(it.response.authenticatorData) } }),
      'signature',
    ],
    ['of another passkey', (it) => ({ ...it, id: 'AAAA', rawId: 'AAAA' }), 'other-passkey'],
  ])('%s is refused', async (_, change, failure) => {
    expect(await assertion({ change })).toEqual({ ok: false, failure });
  });

  test('under the key of another person is refused', async () => {
    const [one, other] = [await registered(), await registered()];
    const { challenge, optionsJson } = await passkeyRequestOptions({ rpId, timeoutSeconds: 120 });
    const response = JSON.stringify(one.phone.sign(optionsJson, origin));
    const passkey = { ...other.passkey, id: one.passkey.id };
    expect(await verifyPasskeyAssertion(response, { challenge, origin, rpId, passkey })).toEqual({ ok: false, failure: 'signature' });
  });

  test('tells which passkey and challenge it could be about before it is proved', async () => {
    const { phone, passkey } = await registered();
    const { challenge, optionsJson } = await passkeyRequestOptions({ rpId, challenge: 'c3RpbnQ', timeoutSeconds: 120 });
    expect(challenge).toBe('c3RpbnQ');
    expect(readPasskeyResponse(JSON.stringify(phone.sign(optionsJson, origin)))).toEqual({
      passkeyId: passkey.id,
      challenge,
      userHandle: Buffer.from(user.id).toString('base64url'),
    });
    for (const wrong of ['', '{}', '{"id":1}', '{"id":"a","response":{"clientDataJSON":"e30"}}'])
      expect(readPasskeyResponse(wrong)).toBeNull();
  });
});

/** The same authenticator data with a higher counter. */
function raised(authenticatorData: string): string {
  const bytes = Buffer.from(authenticatorData, 'base64url');
  bytes.writeUInt32BE(bytes.readUInt32BE(33) + 1, 33);
  return bytes.toString('base64url');
}
