import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signInWithBrowser, StintClient } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { decodeJwt } from 'jose';
import { CookieJar, loopback, OAuthFlow } from './oauth-flow.ts';
import { ask, SignInWorld, type Person } from './sign-in-world.ts';

let world: SignInWorld;
let ada: Person;
beforeAll(async () => {
  world = await SignInWorld.start();
  ada = world.administrator;
});
afterAll(() => world.stop());

const sign = (person: Person) => (options: Record<string, unknown>) => person.phone.sign(options as never, world.url);
async function signedIn(person = ada) {
  const flow = new OAuthFlow(world.url);
  return { flow, tokens: await flow.redeem(await flow.code(sign(person))) };
}
const otherKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const sessionOf = (accessToken: string | undefined) => String(decodeJwt(accessToken ?? '')['sid']);

describe('signing in', () => {
  test('by passkey: a client that refreshes by itself, and a session that its owner sees', async () => {
    const client = await world.client(ada);
    const { viewer } = await ask(client, '{ viewer { id kind sessions { client signedInBy current userAgent } } }');
    expect(viewer).toMatchObject({ id: ada.id, kind: 'TECHNICIAN' });
    expect(viewer?.['sessions']).toContainEqual({ client: 'stint-cli', signedInBy: 'PASSKEY', current: true, userAgent: 'node' });
  });

  test('through the browser, for command lines: the answer comes to a port of the loopback interface', async () => {
    const browser = new OAuthFlow(world.url);
    const person = await signInWithBrowser({
      url: world.url,
      open: async (address) => {
        const answer = await browser.walk((await browser.get(address)).headers.get('location') ?? '', sign(ada));
        // Something else on this computer is not believed.
        const forged = new URL(answer);
        forged.searchParams.set('state', 'another');
        expect((await fetch(forged)).status).toBe(404);
        expect(await (await fetch(answer)).text()).toContain('You are signed in.');
      },
    });
    const client = new StintClient({ url: world.url, credential: person });
    const viewers = await Promise.all(Array.from({ length: 10 }, () => ask(client, '{ viewer { id } }')));
    expect(viewers.map(({ viewer }) => viewer?.['id'])).toEqual(Array<string>(10).fill(ada.id));
  });

  test('gives the console a DPoP-bound access token of 60 seconds with principal and session, an ID token and a refresh token', async () => {
    const flow = new OAuthFlow(world.url, 'stint-console', `${world.url}/app/signed-in`);
    const tokens = await flow.redeem(await flow.code(sign(ada)));
    expect(tokens).toMatchObject({ status: 200, token_type: 'DPoP', expires_in: 60, refresh_token: expect.any(String) });
    const claims = decodeJwt(tokens.access_token ?? '');
    const principal = { kind: 'technician', id: ada.id, mspId: world.mspId, sessionId: claims['sid'], signedInAt: expect.any(String) };
    expect(claims).toMatchObject({ aud: `${world.url}/graphql`, sub: ada.id, cnf: { jkt: expect.any(String) }, principal });
    expect(decodeJwt(tokens.id_token ?? '')).toMatchObject({ aud: 'stint-console', sub: ada.id });
    expect(await flow.whoAmI(tokens.access_token)).toEqual({ status: 200, id: ada.id });
    expect(JSON.stringify(tokens)).not.toContain(flow.verifier);
  });

  test.each([{ max_age: '0' }, { prompt: 'login' }, {}])('asks for the passkey every time: %j', async (changes) => {
    const { flow } = await signedIn();
    const response = await flow.authorize(changes);
    expect([response.status, flow.page]).toEqual([303, expect.stringContaining(`${world.url}/sign-in/`)]);
  });

  test('without a person there is no answer but login_required (prompt=none)', async () => {
    const answer = new URL((await new OAuthFlow(world.url).authorize({ prompt: 'none' })).headers.get('location') ?? '');
    expect([answer.origin, answer.searchParams.get('error')]).toEqual([new URL(loopback).origin, 'login_required']);
  });

  test('sets cookies for the sign-in alone: HttpOnly, SameSite, signed, by path; and no session cookie', async () => {
    const { flow } = await signedIn();
    expect(flow.jar.lines.length).toBeGreaterThan(3);
    for (const line of flow.jar.lines) expect(line).toMatch(/path=\/(sign-in|oauth\/auth)\/.*samesite=lax; httponly/i);
    expect(flow.jar.lines.some((line) => line.startsWith('stint-interaction.sig='))).toBe(true);
    expect(flow.jar.lines.join()).not.toContain('session');
  });

  test("tells the page who asks, and nothing that the page's neighbours could use", async () => {
    const flow = new OAuthFlow(world.url);
    await flow.authorize({ login_hint: 'ada@example.com' });
    const response = await flow.get(`${flow.page}/details`);
    expect(await response.json()).toEqual({
      ...{ client: { id: 'stint-cli', name: 'Stint command line' }, email: 'ada@example.com', identityProvider: true, problem: null },
      expiresAt: expect.any(String),
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('an authorization code (RFC 6749 §4.1, RFC 7636, RFC 9449 §10)', () => {
  test('counts once; a second use ends the session at once', async () => {
    const flow = new OAuthFlow(world.url);
    const code = await flow.code(sign(ada));
    const tokens = await flow.redeem(code);
    expect((await flow.whoAmI(tokens.access_token)).status).toBe(200);
    expect(await flow.redeem(code)).toMatchObject({ status: 400, error: 'invalid_grant' });
    await eventually(async () => expect((await flow.whoAmI(tokens.access_token)).status).toBe(401));
    expect(await flow.refresh(tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('of ten uses at the same moment one at most is answered', async () => {
    const flow = new OAuthFlow(world.url);
    const code = await flow.code(sign(ada));
    const answers = await Promise.all(Array.from({ length: 10 }, () => flow.redeem(code)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  test.each<[string, (flow: OAuthFlow, code: string) => Promise<{ status: number; error?: string }>, string]>([
    ['another verifier', (flow, code) => flow.redeem(code, { code_verifier: 'a'.repeat(43) }), 'invalid_grant'],
    ['no verifier', (flow, code) => flow.redeem(code, { code_verifier: undefined }), 'invalid_grant'],
    ['another redirect address', (flow, code) => flow.redeem(code, { redirect_uri: 'http://127.0.0.1:1/signed-in' }), 'invalid_grant'],
    ['another client', (flow, code) => flow.redeem(code, { client_id: 'stint-console' }), 'invalid_grant'],
    ['another DPoP key', (flow, code) => flow.redeem(code, {}, otherKey()), 'invalid_grant'],
    ['no DPoP proof', (flow, code) => flow.redeem(code, {}, null), 'invalid_grant'],
    ['another resource', (flow, code) => flow.redeem(code, { resource: 'https://elsewhere.example' }), 'invalid_target'],
  ])('is refused with %s', async (_name, redeem, error) => {
    const flow = new OAuthFlow(world.url);
    expect(await redeem(flow, await flow.code(sign(ada)))).toMatchObject({ status: 400, error });
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['with PKCE plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['without a DPoP key', { dpop_jkt: undefined }, 'invalid_request'],
    ['for a token in the address', { response_type: 'token' }, 'unsupported_response_type'],
    ['for another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
  ])('is not asked for %s', async (_name, changes, error) => {
    const answer = new URL((await new OAuthFlow(world.url).authorize(changes)).headers.get('location') ?? 'none:');
    expect([answer.searchParams.get('error') ?? new URLSearchParams(answer.hash.slice(1)).get('error')]).toEqual([error]);
  });

  test.each([
    ['a foreign site', 'stint-cli', 'https://evil.example/signed-in'],
    ['another path of the loopback interface', 'stint-cli', 'http://127.0.0.1:49152/other'],
    ['localhost by name', 'stint-cli', 'http://localhost:49152/signed-in'],
    ['the loopback interface for the console', 'stint-console', loopback],
    ['a look-alike', 'stint-console', 'http://localhost:1@evil.example/app/signed-in'],
  ])('never goes to %s', async (_name, clientId, redirectUri) => {
    const response = await new OAuthFlow(world.url, clientId, redirectUri).authorize();
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await response.text()).not.toContain('evil');
  });
});

describe('a refresh token (RFC 9700 §4.14)', () => {
  test('used again after its successor was used ends the whole session, and the audit log says so', async () => {
    const { flow, tokens } = await signedIn();
    const second = await flow.refresh(tokens.refresh_token);
    const third = await flow.refresh(second.refresh_token);
    expect([second.status, third.status]).toEqual([200, 200]);
    expect(await flow.refresh(tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect((await flow.refresh(third.refresh_token)).status).toBe(400);
    await eventually(async () => expect((await flow.whoAmI(third.access_token)).status).toBe(401));
    const subjectId = sessionOf(third.access_token);
    const expected = { action: 'session.revoked', subjectId, details: expect.objectContaining({ reason: 'token-reused' }) };
    await eventually(async () => expect(await world.audited()).toContainEqual(expected), { timeoutMs: 20_000 });
  });

  test('whose answer was lost may be sent again', async () => {
    const { flow, tokens } = await signedIn();
    await flow.refresh(tokens.refresh_token);
    const again = await flow.refresh(tokens.refresh_token);
    expect([again.status, (await flow.refresh(again.refresh_token)).status]).toEqual([200, 200]);
  });

  test('is worth nothing without its DPoP key, and its owner goes on', async () => {
    const { flow, tokens } = await signedIn();
    expect((await flow.refresh(tokens.refresh_token, otherKey())).status).toBe(400);
    expect((await flow.refresh(tokens.refresh_token, null)).status).toBe(400);
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(200);
  });
});

describe('a session', () => {
  test('that is revoked ends at once: the next request and the next refresh are refused', async () => {
    const { flow, tokens } = await signedIn();
    const owner = await world.client(ada);
    const { revokeSession } = await ask(
      owner,
      'mutation ($input: RevokeSessionInput!) { revokeSession(input: $input) { __typename ... on SignInSession { client } } }',
      { input: { id: sessionOf(tokens.access_token) } },
    );
    expect(revokeSession).toEqual({ __typename: 'SignInSession', client: 'stint-cli' });
    await eventually(async () => expect((await flow.whoAmI(tokens.access_token)).status).toBe(401), { timeoutMs: 2_000 });
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(400);
    expect((await ask(owner, '{ viewer { id } }'))['viewer']).toEqual({ id: ada.id });
  });

  test('ends with its technician, who cannot sign in again', async () => {
    const anna = await world.invited();
    const { flow, tokens } = await signedIn(anna);
    await ask(
      await world.client(ada),
      'mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { __typename ... on Problem { message } } }',
      { input: { id: anna.id, active: false } },
    );
    await eventually(async () => expect((await flow.whoAmI(tokens.access_token)).status).toBe(401), { timeoutMs: 2_000 });
    expect((await flow.refresh(tokens.refresh_token)).status).toBe(400);
    await expect(world.signIn(anna)).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED' });
  });

  test('has the roles of this minute: a role that is taken away is gone from the next request', async () => {
    const anna = await world.invited('ADMINISTRATOR');
    const client = await world.client(anna);
    const access = async () => ((await ask(client, '{ viewer { access { permissions } } }'))['viewer']?.['access'] as unknown[]).length;
    expect(await access()).toBe(1);
    const owner = await world.client(ada);
    const { technician } = await ask(owner, 'query ($id: ID!) { technician(id: $id) { roles { id } } }', { id: anna.id });
    const [role] = technician?.['roles'] as [{ id: string }];
    await ask(owner, 'mutation ($input: RemoveRoleInput!) { removeRole(input: $input) { __typename } }', { input: { id: role.id } });
    await eventually(async () => expect(await access()).toBe(0), { timeoutMs: 2_000 });
  });
});

describe('the sign-in page', () => {
  test('works only in the browser that began the sign-in', async () => {
    const [victim, attacker] = [new OAuthFlow(world.url), new OAuthFlow(world.url)];
    await victim.authorize();
    await attacker.authorize();
    const { jar } = victim;
    for (const foreign of [new CookieJar(), attacker.jar]) {
      victim.jar = foreign;
      expect((await victim.post('/passkey/options', {})).status).toBe(404);
      expect((await victim.get(`${victim.page}/details`)).status).toBe(404);
    }
    victim.jar = jar;
    // A cookie of one's own making does not carry the signature.
    const uid = attacker.page.split('/').at(-1) ?? '';
    expect((await attacker.post('/passkey/options', {}, { cookie: `stint-interaction=${uid}` })).status).toBe(404);
    const options = await victim.post('/passkey/options', {});
    const { body } = await victim.post('/passkey', { response: sign(ada)(options.body) });
    // Nor does the end of the victim's sign-in give a code to another browser.
    const elsewhere = await attacker.get(String(body['location']));
    expect([elsewhere.status, elsewhere.headers.get('location')]).toEqual([400, null]);
    expect((await victim.get(String(body['location']))).headers.get('location')).toContain('code=');
  });

  test("does not take an answer to another browser's challenge, nor one twice", async () => {
    const [mine, theirs] = [new OAuthFlow(world.url), new OAuthFlow(world.url)];
    await mine.authorize();
    await theirs.authorize();
    const response = sign(ada)((await theirs.post('/passkey/options', {})).body);
    await mine.post('/passkey/options', {});
    expect((await mine.post('/passkey', { response })).status).toBe(403);
    expect((await theirs.post('/passkey', { response })).status).toBe(200);
    expect((await theirs.post('/passkey', { response })).status).not.toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a page that sends plain text', { 'content-type': 'text/plain' }],
    ['a page that sends a form', { 'content-type': 'application/x-www-form-urlencoded' }],
  ])('is not answered to %s', async (_name, headers) => {
    const flow = new OAuthFlow(world.url);
    await flow.authorize();
    expect((await flow.post('/passkey/options', '{}', headers)).status).toBe(403);
  });

  test('is tried ten times', async () => {
    const flow = new OAuthFlow(world.url);
    await flow.authorize();
    for (let attempt = 1; attempt <= 10; attempt++) expect((await flow.post('/passkey/options', {})).status).toBe(200);
    expect((await flow.post('/passkey/options', {})).status).toBe(429);
    expect((await flow.post('/identity-provider', { email: 'ada@example.com' })).status).toBe(429);
  });
});

test('nothing that signs in is at rest as it is', async () => {
  const { flow, tokens } = await signedIn();
  const open = new OAuthFlow(world.url);
  await open.authorize();
  const rows = await world.installation.database.query<{ row: string }>(
    `select t::text as row from tenants.sign_in_artefact t union all select t::text from tenants.sign_in_session t`,
  );
  const text = rows.map(({ row }) => row).join('\n');
  for (const secret of [tokens.refresh_token ?? '', tokens.access_token ?? '', flow.verifier, open.page.split('/').at(-1) ?? ''])
    expect(text.includes(secret)).toBe(false);
});
