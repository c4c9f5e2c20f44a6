import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { addSeconds } from '@stint/kernel';
import { decodeJwt, SignJWT, type JWTPayload } from 'jose';
import { emulated, everyPermission, type Emulated } from '../emulated.support.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

describe('the token endpoint', () => {
  test('a secret gives a token that says what the app may do, and ends after an hour', async () => {
    world = await emulated({ app: { permissions: ['User.Read.All'] } });
    const { token, clock, call, tenant, app } = world;
    const { status, body } = await token();
    expect(status).toBe(200);
    expect(decodeJwt(String(body['access_token']))).toMatchObject({ roles: ['User.Read.All'], tid: tenant.id, appid: app.clientId });
    expect((await call('GET', '/users')).status).toBe(200);
    clock.advance(3600);
    expect(await call('GET', '/users')).toMatchObject({ status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } });
  });

  test.each<[string, number, (world: Emulated) => Record<string, string>]>([
    ['wrong secret', 7000215, () => ({ client_secret: 'wrong' })],
    ['no secret', 7000218, () => ({ client_secret: '' })],
    ['unknown app', 700016, () => ({ client_id: '11111111-1111-4111-8111-111111111111' })],
    ['another grant', 70003, () => ({ grant_type: 'password' })],
    ['a scope that is none', 1002012, () => ({ scope: 'User.Read' })],
    ['another resource', 500011, () => ({ scope: 'https://vault.example/.default' })],
    [
      'expired secret',
      7000222,
      ({ clock }) => {
        clock.advance(366 * 86_400);
        return {};
      },
    ],
    ['consent withdrawn', 700016, ({ tenant, app }) => (tenant.changeApp(app.clientId, { granted: null }), {})],
    ['disabled', 7000112, ({ tenant, app }) => (tenant.changeApp(app.clientId, { enabled: false }), {})],
    ['Conditional Access', 53003, ({ tenant, app }) => (tenant.changeApp(app.clientId, { blockedByConditionalAccess: true }), {})],
  ])('%s is AADSTS%i', async (_, number, form) => {
    world = await emulated();
    const { status, body } = await world.token(form(world));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body).toMatchObject({ error_codes: [number] });
    expect(body['error_description']).toMatch(new RegExp(`^AADSTS${number}: `));
  });

  test('a tenant that is not there is AADSTS90002', async () => {
    world = await emulated();
    expect((await world.token({}, '22222222-2222-4222-8222-222222222222')).body).toMatchObject({ error_codes: [90002] });
  });

  test('a consent that was withdrawn ends tokens too', async () => {
    world = await emulated();
    expect((await world.call('GET', '/users')).status).toBe(200);
    world.tenant.changeApp(world.app.clientId, { granted: null });
    expect(await world.call('GET', '/users')).toMatchObject({ status: 401, body: { error: { code: 'Authorization_IdentityNotFound' } } });
  });

  test('secrets, assertions and tokens are not in the recorded exchanges', async () => {
    world = await emulated();
    await world.call('GET', '/users');
    expect(JSON.stringify(world.graph.exchanges)).not.toMatch(/a-secret-of-the-app|eyJ/);
  });
});

describe('private_key_jwt', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const thumbprint = createHash('sha256').update(pem).digest('base64url');

  async function ask(change: { key?: KeyObject; alg?: string; header?: object; claims?: (payload: JWTPayload) => JWTPayload } = {}) {
    const { graph, tenant, app, clock, token } = world;
    const claims = {
      ...{ iss: app.clientId, sub: app.clientId, aud: `${graph.loginUrl}/${tenant.id}/oauth2/v2.0/token`, jti: 'a' },
      ...{ exp: addSeconds(clock.now(), 300).getTime() / 1000, nbf: clock.now().getTime() / 1000 },
    };
    const assertion = await new SignJWT(change.claims?.(claims) ?? claims)
      .setProtectedHeader({ alg: change.alg ?? 'PS256', typ: 'JWT', ...(change.header ?? { 'x5t#S256': thumbprint }) })
      .sign(change.key ?? privateKey);
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    return token({ client_assertion: assertion, client_assertion_type: type });
  }

  const withCertificate = (endsAt?: Date) => ({
    permissions: everyPermission,
    certificates: [{ pem, 'x5t#S256': thumbprint, x5t: 'sha1', ...(endsAt === undefined ? {} : { endsAt }) }],
  });

  test.each([
    ['PS256 and x5t#S256', {}],
    ['RS256 and x5t', { alg: 'RS256', header: { x5t: 'sha1' } }],
    ['the issuer as audience', { claims: (one: JWTPayload) => ({ ...one, aud: String(one.aud).replace('/oauth2/v2.0/token', '/v2.0') }) }],
  ])('%s is taken', async (_, change) => {
    world = await emulated({ app: withCertificate() });
    expect((await ask(change)).status).toBe(200);
  });

  test.each([
    ['another key', 700027, { key: other }],
    ['an unknown certificate', 700027, { header: { 'x5t#S256': 'unknown' } }],
    ['no name of a certificate', 700027, { header: {} }],
    ['another audience', 700023, { claims: (one: JWTPayload) => ({ ...one, aud: 'https://elsewhere.example' }) }],
    ['another issuer', 700021, { claims: (one: JWTPayload) => ({ ...one, iss: 'somebody' }) }],
    ['an end that has passed', 700024, { claims: (one: JWTPayload) => ({ ...one, exp: 1 }) }],
  ])('%s is refused with AADSTS%i', async (_, number, change) => {
    world = await emulated({ app: withCertificate() });
    expect((await ask(change)).body).toMatchObject({ error_codes: [number] });
  });

  test('an expired certificate is refused with AADSTS700027', async () => {
    world = await emulated({ app: withCertificate(new Date('2026-11-23T11:00:00Z')) });
    expect((await ask()).body).toMatchObject({ error_codes: [700027] });
  });
});

describe('the admin consent page', () => {
  const open = (tenantId: string) => {
    const query = new URLSearchParams({
      client_id: world.app.clientId,
      redirect_uri: 'http://127.0.0.1:1/back',
      state: 'st',
      scope: `${world.graph.url}/.default`,
    });
    return fetch(`${world.graph.loginUrl}/${tenantId}/v2.0/adminconsent?${query.toString()}`, { redirect: 'manual' });
  };

  test('a yes makes the app known, with all that it asks for', async () => {
    world = await emulated({ app: { consented: false, permissions: ['User.Read.All'] } });
    expect((await world.token()).body).toMatchObject({ error_codes: [700016] });
    const back = new URL((await open(world.tenant.id)).headers.get('location') ?? '');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ tenant: world.tenant.id, state: 'st', admin_consent: 'True' });
    expect((await world.call('GET', '/users')).status).toBe(200);
  });

  test('a no comes back as an error', async () => {
    world = await emulated({ app: { consented: false }, tenant: { declinesConsent: true } });
    const back = new URL((await open(world.tenant.id)).headers.get('location') ?? '');
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'access_denied', state: 'st' });
    expect((await world.token()).body).toMatchObject({ error_codes: [700016] });
  });

  test('without a tenant of its own there is no consent', async () => {
    world = await emulated();
    expect((await open('common')).status).toBe(400);
  });
});
