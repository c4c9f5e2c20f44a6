import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { principalToken } from '@stint/contracts';
import { StintError } from '@stint/sdk';
import { parse } from 'graphql';
import { decodeJwt, decodeProtectedHeader, exportJWK, SignJWT } from 'jose';
import { startTestGateway, type TestCredential, type TestGateway } from './test-gateway.support.ts';

let gateway: TestGateway;
let device: TestCredential;
let client: TestCredential;
let token: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  device = gateway.register('device');
  client = gateway.register('client');
  token = await accessToken(device);
});
afterAll(() => gateway.close());
const publicJwk = (x: string) => ({ kty: 'OKP', crv: 'Ed25519', x });

interface ProofChanges {
  key?: KeyObject;
  header?: Record<string, unknown>;
  payload?: Record<string, unknown>;
}

async function proof(credential: TestCredential, url: string, changes: ProofChanges = {}, method = 'POST'): Promise<string> {
  return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), ...changes.payload })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: publicJwk(credential.publicKey), ...changes.header })
    .sign(changes.key ?? credential.privateKey);
}

async function askForToken(
  credential: TestCredential,
  claims: Record<string, unknown> = {},
  key = credential.privateKey,
  form: Record<string, string> = {},
  dpop?: string | null,
) {
  const now = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({
    iss: credential.id,
    sub: credential.id,
    aud: `${gateway.url}/oauth`,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(key);
  const headers: Record<string, string> = dpop === null ? {} : { dpop: dpop ?? (await proof(credential, `${gateway.url}/oauth/token`)) };
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...form,
  });
  const response = await fetch(`${gateway.url}/oauth/token`, { method: 'POST', body, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, assertion };
}

async function accessToken(credential: TestCredential): Promise<string> {
  const { body } = await askForToken(credential);
  return String(body['access_token']);
}
const ath = (value: string) => createHash('sha256').update(value).digest('base64url');

async function ask(headers: Record<string, string>, url = `${gateway.url}/graphql`) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ viewer { id kind } }' }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as { data?: { viewer: { id: string; kind: string } }; errors?: { extensions: { code: string } }[] },
  };
}

describe('the token endpoint', () => {
  test.each([
    ['device', 300],
    ['client', 300],
  ] as const)('gives a %s a DPoP-bound token of %i seconds that carries the principal', async (kind, seconds) => {
    const credential = gateway.register(kind);
    const { status, body } = await askForToken(credential);
    expect([status, body['token_type'], body['expires_in']]).toEqual([200, 'DPoP', seconds]);
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toMatchObject({
      aud: `${gateway.url}/graphql`,
      iss: `${gateway.url}/oauth`,
      principal: credential.principal,
      cnf: { jkt: expect.any(String) },
    });
  });

  test('refuses a key that is not registered, with nothing but the standard error', async () => {
    const { status, body } = await askForToken(device, {}, generateKeyPairSync('ed25519').privateKey);
    expect([status, body['error']]).toEqual([401, 'invalid_client']);
  });

  test('refuses an unknown and a revoked credential', async () => {
    const stranger = { ...device, id: '019ab0c0-0000-7000-8000-00000000ffff' };
    expect((await askForToken(stranger)).status).toBe(401);
    const revoked = gateway.register('device');
    gateway.revoke(revoked);
    expect((await askForToken(revoked)).status).toBe(401);
  });

  test.each([
    ['for another server', { aud: 'https://elsewhere.example/oauth' }],
    ['that has expired', { exp: 1_000_000_000 }],
    ['that lives for a day', { exp: Math.floor(Date.now() / 1000) + 86_400 }],
    ['without a jti', { jti: undefined }],
    ['by another issuer', { iss: 'somebody' }],
  ])('refuses an assertion %s', async (_name, claims) => {
    const { status, body } = await askForToken(device, claims);
    expect([status, body['access_token']]).toEqual([401, undefined]);
  });

  test('takes an assertion once, of ten at the same time too', async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { jti: randomUUID(), exp: now + 30, iat: now };
    const answers = await Promise.all(Array.from({ length: 10 }, () => askForToken(device, claims)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
  });

  test('refuses a request without DPoP, and another resource', async () => {
    expect((await askForToken(device, {}, device.privateKey, {}, null)).status).toBe(400);
    expect(await askForToken(device, {}, device.privateKey, { resource: 'https://elsewhere.example' })).toMatchObject({
      status: 400,
      body: { error: 'invalid_target' },
    });
  });

  test.each(['request', 'me', 'session/end', 'session/end/confirm', 'reg', 'token/introspection', 'token/revocation', 'interaction/x'])(
    'nothing else of OAuth is there: /oauth/%s',
    async (path) => {
      expect((await fetch(`${gateway.url}/oauth/${path}`)).status).toBe(404);
    },
  );

  test('publishes its metadata with public addresses, whatever the request says of itself, and its public key alone', async () => {
    const metadata = (await (
      await fetch(`${gateway.url}/oauth/.well-known/openid-configuration`, { headers: { 'x-forwarded-host': 'evil.example' } })
    ).json()) as Record<string, unknown>;
    expect(metadata).toMatchObject({
      issuer: `${gateway.url}/oauth`,
      token_endpoint: `${gateway.url}/oauth/token`,
      jwks_uri: `${gateway.url}/oauth/jwks`,
    });
    const { keys } = (await (await fetch(`${gateway.url}/oauth/jwks`)).json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519', x: (await exportJWK(gateway.signingKey)).x });
    expect(keys[0]).not.toHaveProperty('d');
  });
});

describe('an API client without DPoP', () => {
  test('gets a bearer token, which is believed as such', async () => {
    const { status, body } = await askForToken(client, {}, client.privateKey, {}, null);
    expect([status, body['token_type']]).toEqual([200, 'Bearer']);
    const { body: answer } = await ask({ authorization: `Bearer ${String(body['access_token'])}` });
    expect(answer.data?.viewer).toEqual({ id: client.principal.id, kind: 'CLIENT' });
    const signed = await proof(client, `${gateway.url}/graphql`, { payload: { ath: ath(String(body['access_token'])) } });
    expect((await ask({ authorization: `DPoP ${String(body['access_token'])}`, dpop: signed })).status).toBe(401);
  });

  test.each([
    ['the token of a device', () => token],
    ['the bound token of an API client', () => accessToken(client)],
  ])('%s is worth nothing as a bearer token', async (_name, get) => {
    const stolen = await get();
    expect((await ask({ authorization: `Bearer ${stolen}` })).status).toBe(401);
    const dpop = await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(stolen) } });
    expect((await ask({ authorization: `Bearer ${stolen}`, dpop })).status).toBe(401);
  });
});

describe('/graphql', () => {
  test('believes a token with a fresh proof', async () => {
    const { status, body } = await ask({
      authorization: `DPoP ${token}`,
      dpop: await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(token) } }),
    });
    expect([status, body.data?.viewer]).toEqual([200, { id: device.principal.id, kind: 'DEVICE' }]);
  });

  test('a caller without credential is anonymous', async () => {
    const before = gateway.tenants.seen.length;
    expect(await ask({})).toMatchObject({ status: 200, body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] } });
    expect(gateway.tenants.seen[before]?.principal).toEqual({ kind: 'anonymous' });
  });

  test('of what a client sends, only the operation reaches a subgraph', async () => {
    const forged = await new SignJWT({ principal: { kind: 'gateway' } })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(principalToken.issuer)
      .setAudience('tenants')
      .setExpirationTime('30s')
      .sign(generateKeyPairSync('ed25519').privateKey);
    const before = gateway.tenants.seen.length;
    await ask({
      [principalToken.header]: forged,
      cookie: 'a=b',
      'x-correlation-id': 'forged',
      traceparent: '00-0000000000000000000000000000abcd-00000000000000ab-01',
      'x-anything': '1',
    });
    const seen = gateway.tenants.seen[before];
    const headers: Record<string, unknown> = seen?.headers ?? {};
    expect(seen?.principal).toEqual({ kind: 'anonymous' });
    expect(Object.keys(headers).sort()).toEqual(
      ['accept', 'connection', 'content-length', 'content-type', 'host', 'traceparent', 'x-correlation-id', principalToken.header].sort(),
    );
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(headers['traceparent']).toContain(headers['x-correlation-id']);
  });

  test('a principal is signed for one subgraph alone', async () => {
    const before = gateway.jitPolicy.seen.length;
    await gateway.client(device).request(parse('{ thisDevice { hostName desiredState { revision } } }'));
    const [tenants, jitPolicy] = [gateway.tenants.seen.at(-1), gateway.jitPolicy.seen[before]];
    expect(decodeJwt(String(tenants?.headers[principalToken.header])).aud).toBe('tenants');
    expect(decodeJwt(String(jitPolicy?.headers[principalToken.header])).aud).toBe('jit-policy');
  });

  const other = generateKeyPairSync('ed25519');
  const otherX = other.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url');
  const now = () => Math.floor(Date.now() / 1000);
  const refusedProofs: [string, (url: string) => Promise<Record<string, string>>][] = [
    ['no proof', () => Promise.resolve({})],
    ['a proof that is no JWT', () => Promise.resolve({ dpop: 'x.y.z' })],
    [
      'a proof signed by another key than it carries',
      async (url) => ({ dpop: await proof(device, url, { key: other.privateKey, payload: { ath: ath(token) } }) }),
    ],
    [
      "a proof by another's key",
      async (url) => ({
        dpop: await proof(device, url, {
          key: other.privateKey,
          header: { jwk: { kty: 'OKP', crv: 'Ed25519', x: otherX } },
          payload: { ath: ath(token) },
        }),
      }),
    ],
    ['a proof for another address', async () => ({ dpop: await proof(device, `${gateway.url}/nudge`, { payload: { ath: ath(token) } }) })],
    [
      'a proof for another host',
      async () => ({ dpop: await proof(device, 'https://evil.example/graphql', { payload: { ath: ath(token) } }) }),
    ],
    ['a proof for another method', async (url) => ({ dpop: await proof(device, url, { payload: { ath: ath(token), htm: 'GET' } }) })],
    ['a proof of two minutes ago', async (url) => ({ dpop: await proof(device, url, { payload: { ath: ath(token), iat: now() - 120 } }) })],
    ['a proof from the future', async (url) => ({ dpop: await proof(device, url, { payload: { ath: ath(token), iat: now() + 120 } }) })],
    ['a proof without ath', async (url) => ({ dpop: await proof(device, url) })],
    ['a proof for another token', async (url) => ({ dpop: await proof(device, url, { payload: { ath: ath('another') } }) })],
    ['a proof without jti', async (url) => ({ dpop: await proof(device, url, { payload: { ath: ath(token), jti: undefined } }) })],
    [
      'a proof of another type',
      async (url) => ({ dpop: await proof(device, url, { header: { typ: 'JWT' }, payload: { ath: ath(token) } }) }),
    ],
  ];
  test.each(refusedProofs)('refuses %s with 401', async (_name, make) => {
    const { status, headers, body } = await ask({ authorization: `DPoP ${token}`, ...(await make(`${gateway.url}/graphql`)) });
    expect([status, body.errors?.[0]?.extensions.code, body.data]).toEqual([401, 'UNAUTHENTICATED', undefined]);
    expect(headers.get('www-authenticate')).toContain('DPoP');
  });

  test('refuses a proof that was used before, of ten at the same time all but one', async () => {
    const used = { authorization: `DPoP ${token}`, dpop: await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(token) } }) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(used)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
    expect((await ask(used)).status).toBe(401);
  });

  const forgedTokens: [string, () => Promise<string>][] = [
    ['signed by another key', () => forge({}, generateKeyPairSync('ed25519').privateKey)],
    ['that has expired', () => forge({ exp: now() - 1 })],
    ['for another audience', () => forge({ aud: 'https://elsewhere.example' })],
    ['bound to no key', () => forge({ cnf: undefined })],
    ['without a principal', () => forge({ principal: undefined })],
    ['that is a principal token of the gateway', () => forge({ iss: principalToken.issuer, aud: 'tenants' })],
    ['with a wrong type', () => forge({}, gateway.signingKey, 'JWT')],
  ];
  async function forge(changes: Record<string, unknown>, key = gateway.signingKey, typ = 'at+jwt'): Promise<string> {
    return new SignJWT({ ...decodeJwt(token), ...changes })
      .setProtectedHeader({ alg: 'EdDSA', ...decodeProtectedHeader(token), typ })
      .sign(key);
  }
  test('takes one that is changed in nothing, so that the next ones are refused for what they change', async () => {
    const same = await forge({});
    const dpop = await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(same) } });
    expect((await ask({ authorization: `DPoP ${same}`, dpop })).status).toBe(200);
  });
  test.each(forgedTokens)('refuses a token %s with 401', async (_name, make) => {
    const forged = await make();
    const dpop = await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(forged) } });
    expect((await ask({ authorization: `DPoP ${forged}`, dpop })).status).toBe(401);
  });

  test.each(['Bearer', 'Basic', 'dpop x'])('refuses the scheme %s with 401', async (scheme) => {
    expect(
      (
        await ask({
          authorization: `${scheme} ${token}`,
          dpop: await proof(device, `${gateway.url}/graphql`, { payload: { ath: ath(token) } }),
        })
      ).status,
    ).toBe(401);
  });
});

test('the client signs in by itself; once its credential is revoked and its token over, it is told so', async () => {
  const partner = gateway.register('client');
  expect(await gateway.client(partner).request(parse('{ viewer { id kind } }'))).toEqual({
    viewer: { id: partner.principal.id, kind: 'CLIENT' },
  });
  const stale = gateway.register('device');
  gateway.revoke(stale);
  await expect(gateway.client(stale).request(parse('{ viewer { id } }'))).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    constructor: StintError,
  });
});
