import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, Principal } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import {
  auditActionsOf,
  createTenant,
  joinAs,
  joinFirst,
  only,
  origin,
  problem,
  startTestTenants,
  technician,
  type TestTenants,
} from '../test-tenants.support.ts';
import { ForeignIdentityProvider } from './foreign-identity-provider.support.ts';

const gateway: Principal = { kind: 'gateway' };
const redirectUri = `${origin}/sign-in/identity-provider/callback`;
const clientSecret = 'a-client-secret-of-the-msp';
let tenants: TestTenants;
let administrator: Actor;
let mspId: Id;
let contoso: Id;
let adatum: Id;
let provider: ForeignIdentityProvider;

const opened: ForeignIdentityProvider[] = [];
const foreign = async () => {
  const made = await ForeignIdentityProvider.listen();
  opened.push(made);
  return made;
};

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator, mspId } = await joinFirst(tenants));
  contoso = await createTenant(tenants, administrator, 'Contoso');
  adatum = await createTenant(tenants, administrator, 'Adatum');
  provider = await foreign();
  provider.open({
    client_id: 'stint',
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_post',
  });
  expect((await set({ tenantId: contoso })).__typename).toBe('IdentityProvider');
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  await tenants.close();
});

const fields = 'issuer clientId clientPublicKey passkeyToo required';
const set = (input: object, caller: Principal = administrator) =>
  tenants
    .send(
      caller,
      `mutation ($input: SetIdentityProviderInput!) { setIdentityProvider(input: $input) { ${problem} ... on InvalidInput { field } ... on IdentityProvider { id ${fields} } } }`,
      { input: { issuer: provider.issuer, clientId: 'stint', clientSecret, passkeyToo: false, required: false, ...input } },
    )
    .then(only);
const remove = (tenantId: Id) =>
  tenants
    .send(administrator, `mutation ($id: ID!) { removeIdentityProvider(input: { tenantId: $id }) { ${problem} } }`, { id: tenantId })
    .then(only);
const start = (email: string) =>
  tenants
    .send(
      gateway,
      `mutation ($input: StartIdentityProviderSignInInput!) { startIdentityProviderSignIn(input: $input) { ${problem} ... on IdentityProviderSignInStarted { url transaction } } }`,
      { input: { email, redirectUri } },
    )
    .then(only);
const finish = (transaction: unknown, callbackUrl: string) =>
  tenants
    .send(
      gateway,
      `mutation ($input: FinishIdentityProviderSignInInput!) { finishIdentityProviderSignIn(input: $input) { ${problem} ... on IdentityProviderSignedIn { technicianId mspId tenantId passkeyToo signedInAt } } }`,
      { input: { transaction, callbackUrl } },
    )
    .then(only);
/** Signs in as `login` at the provider, with `email` typed here. */
const signIn = async (email: string, login: string, at = provider) => {
  const { url, transaction } = await start(email);
  return finish(transaction, await at.visit(String(url), login));
};
const person = async (name: string, tenantId = contoso, account: object = {}) => {
  const email = `${name}@example.com`;
  const joined = await joinAs(tenants, administrator, email, 'TECHNICIAN', tenantId);
  provider.accounts.set(`account-of-${name}`, { email, email_verified: true, ...account });
  return { ...joined, email, login: `account-of-${name}` };
};

describe('a sign-in at the identity provider', () => {
  test('binds the account by its verified address once, and knows it by its subject from then on', async () => {
    const anna = await person('anna');
    expect(await signIn(anna.email, anna.login)).toEqual({
      ...{ __typename: 'IdentityProviderSignedIn', technicianId: anna.id, mspId, tenantId: contoso, passkeyToo: false },
      signedInAt: tenants.clock.now().toISOString(),
    });
    provider.accounts.set(anna.login, { email: 'renamed@example.com', email_verified: false });
    expect(await signIn(anna.email, anna.login)).toMatchObject({ technicianId: anna.id });
    // The address is given to a colleague, who signs in with an account of their own: still not Anna.
    provider.accounts.set('colleague', { email: anna.email, email_verified: true });
    expect((await signIn(anna.email, 'colleague')).__typename).toBe('SignInRefused');
    await eventually(async () => {
      const actions = await auditActionsOf(tenants, anna.id);
      expect(actions.filter((action) => action === 'identity-provider.linked')).toHaveLength(1);
      expect(actions.filter((action) => action === 'technician.signed-in')).toHaveLength(2);
    });
  });

  test('takes a passkey too where the technician holds a role outside of the tenant whose administrators chose the provider', async () => {
    const gil = await person('gil');
    const input = { id: newId(), technicianId: gil.id, role: 'AUDITOR' };
    const give = `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { ${problem} } }`;
    const below = await createTenant(tenants, technician(mspId, contoso), 'Below');
    expect(only(await tenants.send(administrator, give, { input: { ...input, tenantId: below } })).__typename).toBe('Technician');
    expect(await signIn(gil.email, gil.login)).toMatchObject({ technicianId: gil.id, passkeyToo: false });
    expect(only(await tenants.send(administrator, give, { input: { ...input, id: newId(), tenantId: mspId } })).__typename).toBe(
      'Technician',
    );
    expect(await signIn(gil.email, gil.login)).toMatchObject({ technicianId: gil.id, passkeyToo: true });
  });

  test('with an address that is not verified is refused', async () => {
    const bert = await person('bert', contoso, { email_verified: false });
    expect((await signIn(bert.email, bert.login)).__typename).toBe('SignInRefused');
  });

  test('as somebody who lives in another tenant is refused', async () => {
    const carl = await person('carl', adatum);
    const dora = await person('dora');
    expect((await signIn(dora.email, carl.login)).__typename).toBe('SignInRefused');
    expect((await start(carl.email)).__typename).toBe('SignInRefused');
  });

  test('as nobody whom we know is refused', async () => {
    const eve = await person('eve');
    provider.accounts.set('stranger', { email: 'stranger@example.com', email_verified: true });
    expect((await signIn(eve.email, 'stranger')).__typename).toBe('SignInRefused');
    provider.accounts.set('nameless', {});
    expect((await signIn(eve.email, 'nameless')).__typename).toBe('SignInRefused');
  });

  test('as somebody switched off is refused, before and after it began', async () => {
    const fred = await person('fred');
    const { url, transaction } = await start(fred.email);
    const back = await provider.visit(String(url), fred.login);
    await tenants.send(administrator, `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`, {
      id: fred.id,
    });
    expect((await finish(transaction, back)).__typename).toBe('SignInRefused');
    expect((await start(fred.email)).__typename).toBe('SignInRefused');
  });

  test('finishes once, within ten minutes', async () => {
    const gina = await person('gina');
    const { url, transaction } = await start(gina.email);
    const back = await provider.visit(String(url), gina.login);
    const answers = await Promise.all(Array.from({ length: 10 }, () => finish(transaction, back)));
    expect(answers.filter(({ __typename }) => __typename === 'IdentityProviderSignedIn')).toHaveLength(1);
    const late = await start(gina.email);
    tenants.clock.advance(601);
    expect((await finish(late['transaction'], back)).__typename).toBe('SignInRefused');
    tenants.clock.set(new Date());
  });

  test.each<[string, (back: URL) => void]>([
    ['another state', (back) => back.searchParams.set('state', 'x')],
    ['no state', (back) => back.searchParams.delete('state')],
    ['another code', (back) => back.searchParams.set('code', 'x')],
    ['another issuer', (back) => back.searchParams.set('iss', 'https://evil.example')],
    ['an error', (back) => back.searchParams.set('error', 'access_denied')],
    ['another address', (back) => (back.pathname = '/elsewhere')],
    ['another host', (back) => (back.host = 'evil.example')],
  ])('that comes back with %s is refused', async (_, change) => {
    const hugo = await person(`hugo-${newId()}`);
    const { url, transaction } = await start(hugo.email);
    const back = new URL(await provider.visit(String(url), hugo.login));
    change(back);
    expect((await finish(transaction, back.href)).__typename).toBe('SignInRefused');
  });

  test('whose answer was made for another sign-in is refused', async () => {
    const ina = await person('ina');
    const [one, other] = [await start(ina.email), await start(ina.email)];
    const back = await provider.visit(String(one['url']), ina.login);
    expect((await finish(other['transaction'], back)).__typename).toBe('SignInRefused');
    // The state fits, the nonce of the ID token does not.
    const forged = new URL(String((await start(ina.email))['url']));
    const third = await start(ina.email);
    const wanted = new URL(String(third['url']));
    forged.searchParams.set('state', wanted.searchParams.get('state') ?? '');
    forged.searchParams.set('code_challenge', wanted.searchParams.get('code_challenge') ?? '');
    expect((await finish(third['transaction'], await provider.visit(forged.href, ina.login))).__typename).toBe('SignInRefused');
  });

  test('is refused for unknown addresses in the words of known ones without an identity provider', async () => {
    const jo = await person('jo', adatum);
    const known = await start(jo.email);
    expect(known.__typename).toBe('SignInRefused');
    expect(await start('nobody@example.com')).toEqual(known);
  });

  test('is refused when the identity provider does not answer', async () => {
    const down = await ForeignIdentityProvider.listen();
    down.open({ client_id: 'stint', client_secret: clientSecret, redirect_uris: [redirectUri] });
    const tenantId = await createTenant(tenants, administrator, 'Down');
    const kim = await person('kim', tenantId);
    await set({ tenantId, issuer: down.issuer });
    await down.close();
    // Its administrator gets no further into it, and out of it again.
    expect(await set({ tenantId, issuer: down.issuer, required: true })).toMatchObject({ __typename: 'InvalidInput', field: 'issuer' });
    expect(await set({ tenantId, issuer: down.issuer, passkeyToo: true })).toMatchObject({ __typename: 'IdentityProvider' });
    expect(await start(kim.email)).toMatchObject({ __typename: 'SignInRefused', message: expect.stringContaining('does not answer') });
  });
});

describe('where an identity provider', () => {
  const passkey = async (who: Awaited<ReturnType<typeof person>>, more: object = {}) => {
    const { optionsJson } = only(await tenants.send(gateway, 'mutation { startPasskeySignIn { __typename optionsJson } }'));
    const response = JSON.stringify(who.phone.sign(String(optionsJson), origin));
    return only(
      await tenants.send(gateway, `mutation ($input: FinishPasskeySignInInput!) { finishPasskeySignIn(input: $input) { ${problem} } }`, {
        input: { response, ...more },
      }),
    ).__typename;
  };

  test('is required, nobody signs in by passkey alone', async () => {
    const tenantId = await createTenant(tenants, administrator, 'Required');
    const lea = await person('lea', tenantId);
    expect(await passkey(lea)).toBe('SignedIn');
    await set({ tenantId, required: true, passkeyToo: true });
    expect(await passkey(lea)).toBe('SignInRefused');
    const vouched = await signIn(lea.email, lea.login);
    expect(vouched).toMatchObject({ technicianId: lea.id, passkeyToo: true });
    expect(await passkey(lea, { vouchedFor: vouched['technicianId'] })).toBe('SignedIn');
    expect((await remove(tenantId)).__typename).toBe('Tenant');
    expect(await passkey(lea)).toBe('SignedIn');
    expect((await start(lea.email)).__typename).toBe('SignInRefused');
  });

  test('stands above, the nearest counts', async () => {
    const [far, near] = [await foreign(), await foreign()];
    const region = await createTenant(tenants, administrator, 'Region');
    const branch = await createTenant(tenants, technician(mspId, region), 'Branch');
    const max = await person('max', branch);
    for (const one of [far, near]) one.open({ client_id: 'stint', client_secret: clientSecret, redirect_uris: [redirectUri] });
    await set({ tenantId: region, issuer: far.issuer });
    expect(String((await start(max.email))['url'])).toContain(far.issuer);
    await set({ tenantId: branch, issuer: near.issuer });
    expect(String((await start(max.email))['url'])).toContain(near.issuer);
  });

  test('has no secret for us, we prove ourselves with a key that was made here', async () => {
    const own = await foreign();
    const tenantId = await createTenant(tenants, administrator, 'Keys');
    const nora = await person('nora', tenantId);
    own.accounts.set('n', { email: nora.email, email_verified: true });
    const jwks: { keys: Record<string, string>[] } = { keys: [] };
    own.open(
      {
        ...{ client_id: 'stint', redirect_uris: [redirectUri], jwks },
        ...{ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256' },
      } as never,
      // Claims in the ID token, as Entra and Google do it.
      { conformIdTokenClaims: false },
    );
    const { clientPublicKey } = await set({ tenantId, issuer: own.issuer, clientSecret: null });
    const jwk = JSON.parse(String(clientPublicKey)) as Record<string, string>;
    expect(Object.keys(jwk)).not.toContain('d');
    jwks.keys.push({ ...jwk });
    expect(await signIn(nora.email, 'n', own)).toMatchObject({ __typename: 'IdentityProviderSignedIn', technicianId: nora.id });
  });
});

describe('setting an identity provider', () => {
  test.each<[string, object, string]>([
    ['issuer', { issuer: 'http://login.example.com' }, 'issuer'],
    ['issuer', { issuer: 'http://169.254.169.254' }, 'issuer'],
    ['issuer', { issuer: 'x' }, 'issuer'],
    ['client id', { clientId: '' }, 'clientId'],
    ['secret', { clientSecret: 'with space' }, 'clientSecret'],
  ])('with a wrong %s is refused', async (_, wrong, field) => {
    const answer = await set({ tenantId: adatum, ...wrong });
    expect(answer).toMatchObject({ __typename: 'InvalidInput', field });
    expect(JSON.stringify(answer)).not.toContain('with space');
  });

  test('is for those who administer technicians there', async () => {
    const answer = await tenants.send(
      technician(mspId, mspId, 'TECHNICIAN'),
      `mutation ($id: ID!) { removeIdentityProvider(input: { tenantId: $id }) { ${problem} } }`,
      { id: contoso },
    );
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect((await set({ tenantId: contoso }, technician(mspId, adatum))).__typename).toBe('NotFound');
  });

  test('never shows or stores the secret in plain text, and keeps it when it is left out', async () => {
    const tenantId = await createTenant(tenants, administrator, 'Secret');
    const otto = await person('otto', tenantId);
    await set({ tenantId });
    expect(await set({ tenantId, clientSecret: null, passkeyToo: true })).toMatchObject({ clientPublicKey: null, passkeyToo: true });
    expect((await signIn(otto.email, otto.login)).__typename).toBe('IdentityProviderSignedIn');
    const rows = await tenants.database.query('select * from tenants.identity_provider');
    const outbox = await tenants.database.query('select payload from tenants.outbox');
    const everything = JSON.stringify([rows, outbox, await tenants.database.query('select * from tenants.audit_event')]);
    expect(everything).not.toContain(clientSecret);
    expect(everything).not.toContain(Buffer.from(clientSecret).toString('hex'));
  });
});
