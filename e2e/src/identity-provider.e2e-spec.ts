import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { IdentityProvider } from './identity-provider.ts';
import { CookieJar, OAuthFlow } from './oauth-flow.ts';
import { ask, SignInWorld, type Person } from './sign-in-world.ts';

let world: SignInWorld;
let ada: Person;
let idp: IdentityProvider;
beforeAll(async () => {
  world = await SignInWorld.start({
    prepare: ({ environments }) => {
      // Ours speaks plain HTTP on this machine.
      environments.tenants['ALLOW_INSECURE_IDENTITY_PROVIDER'] = 'true';
      return Promise.resolve();
    },
  });
  ada = world.administrator;
  idp = await IdentityProvider.start(`${world.url}/sign-in/identity-provider/callback`);
});
afterAll(async () => {
  await idp.close();
  await world.stop();
});

async function configure(changes: { passkeyToo: boolean; required: boolean }): Promise<void> {
  const input = { tenantId: world.mspId, issuer: idp.issuer, clientId: 'stint', clientSecret: 'stint-secret-of-the-test', ...changes };
  const { setIdentityProvider } = await ask(
    await world.client(ada),
    'mutation ($input: SetIdentityProviderInput!) { setIdentityProvider(input: $input) { __typename ... on Problem { message } } }',
    { input },
  );
  expect(setIdentityProvider).toEqual({ __typename: 'IdentityProvider' });
}

/** Goes to the identity provider and comes back as far as the address of our own that it names. */
async function visit(flow: OAuthFlow): Promise<string> {
  await flow.authorize();
  const { status, body } = await flow.post('/identity-provider', { email: 'ada@example.com' });
  expect(status).toBe(200);
  const there = new CookieJar();
  let url = String(body['location']);
  while (!url.startsWith(world.url)) {
    const response = await fetch(url, { redirect: 'manual', headers: { cookie: there.header(url) } });
    there.take(response);
    url = new URL(response.headers.get('location') ?? `${world.url}/${response.status}`, url).href;
  }
  return url;
}
const location = async (flow: OAuthFlow, url: string) => (await flow.get(url)).headers.get('location') ?? '';
const codeIn = (address: string) => new URL(address).searchParams.get('code') ?? address;

describe("the MSP's identity provider", () => {
  test('signs in without a passkey where that is enough; nothing is proved by passkey then', async () => {
    await configure({ passkeyToo: false, required: false });
    const flow = new OAuthFlow(world.url);
    const back = await visit(flow);
    const tokens = await flow.redeem(codeIn(await location(flow, await location(flow, back))));
    const { principal, sid } = decodeJwt(tokens.access_token ?? '') as { principal: object; sid: string };
    expect(principal).toMatchObject({ id: ada.id, sessionId: sid });
    expect(principal).not.toHaveProperty('signedInAt');
    const { viewer } = await ask(await world.client(ada), '{ viewer { sessions { id signedInBy } } }');
    expect(viewer?.['sessions']).toContainEqual({ id: sid, signedInBy: 'IDENTITY_PROVIDER' });
    // Its answer counts once.
    expect((await flow.get(back)).status).toBe(404);
  });

  test('answers to the browser that asked, and to no other', async () => {
    const [mine, theirs] = [new OAuthFlow(world.url), new OAuthFlow(world.url)];
    const back = await visit(mine);
    expect((await theirs.get(back)).status).toBe(404);
    await visit(theirs);
    expect(await location(theirs, back)).toBe(theirs.page);
    const { problem } = (await (await theirs.get(`${theirs.page}/details`)).json()) as { problem: string | null };
    expect(problem).toContain('identity provider');
  });

  test('and then a passkey, of the same person', async () => {
    const anna = await world.invited();
    await configure({ passkeyToo: true, required: true });
    const flow = new OAuthFlow(world.url);
    expect(await location(flow, await visit(flow))).toBe(flow.page);
    expect(await (await flow.get(`${flow.page}/details`)).json()).toMatchObject({ identityProvider: false });
    const answer = async ({ phone }: Person) => {
      const options = await flow.post('/passkey/options', {});
      return flow.post('/passkey', { response: phone.sign(options.body as never, world.url) });
    };
    expect((await answer(anna)).status).toBe(403);
    const { body } = await answer(ada);
    const tokens = await flow.redeem(codeIn(await location(flow, String(body['location']))));
    const { principal, sid } = decodeJwt(tokens.access_token ?? '') as { principal: object; sid: string };
    expect(principal).toMatchObject({ id: ada.id, sessionId: sid, signedInAt: expect.any(String) });
    // Where it is required, a passkey alone lets nobody in.
    await expect(world.signIn(ada)).rejects.toMatchObject({
      code: 'SIGN_IN_REFUSED',
      message: expect.stringContaining('identity provider'),
    });
  });

  test('is not told of by who has none', async () => {
    const flow = new OAuthFlow(world.url);
    await flow.authorize();
    const { status, body } = await flow.post('/identity-provider', { email: 'nobody@example.com' });
    expect([status, body]).toMatchObject([403, { errors: [{ message: expect.stringContaining('no identity provider') }] }]);
  });
});
