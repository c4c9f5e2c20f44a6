import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, Principal } from '@stint/contracts';
import { newId } from '@stint/kernel';
import type { Attack } from '@stint/passkey-emulator';
import { eventually } from '@stint/testing';
import {
  anonymous,
  auditActionsOf,
  joinAs,
  joinFirst,
  only,
  origin,
  problem,
  startTestTenants,
  type Person,
  type TestTenants,
} from '../test-tenants.support.ts';

const gateway: Principal = { kind: 'gateway' };
let tenants: TestTenants;
let administrator: Actor;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator } = await joinFirst(tenants));
});
afterAll(() => tenants.close());

const startMutation = 'mutation { startPasskeySignIn { __typename optionsJson } }';
const start = async () => String(only(await tenants.send(gateway, startMutation))['optionsJson']);
const finishMutation = `mutation ($input: FinishPasskeySignInInput!) { finishPasskeySignIn(input: $input) { ${problem}
  ... on SignedIn { technicianId mspId tenantId passkeyId signedInAt } } }`;
const finish = (response: object | string, more: object = {}) =>
  tenants
    .send(gateway, finishMutation, {
      input: { response: typeof response === 'string' ? response : JSON.stringify(response), userAgent: 'Firefox', ...more },
    })
    .then(only);
const signIn = async (person: Person, attack: Attack = {}) => finish(person.phone.sign(await start(), origin, attack));
const principalOf = async (id: string) =>
  (
    await tenants.send(
      gateway,
      'query ($id: ID!) { technicianPrincipal(id: $id) { mspId tenantId active access { tenantId permissions } } }',
      { id },
    )
  ).data?.['technicianPrincipal'];
const switchOff = (person: Person) =>
  tenants.send(administrator, `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`, {
    id: person.id,
  });

describe('a sign-in by passkey', () => {
  test('says who it is, without a user name', async () => {
    const anna = await joinAs(tenants, administrator, 'anna@example.com');
    const signedIn = await signIn(anna);
    expect(signedIn).toMatchObject({
      __typename: 'SignedIn',
      technicianId: anna.id,
      mspId: anna.actor.mspId,
      tenantId: anna.actor.tenantId,
    });
    expect(signedIn['signedInAt']).toBe(tenants.clock.now().toISOString());
    const seen = await tenants.send(anna.actor, '{ viewer { technician { passkeys { id lastUsedAt } } } }');
    expect(seen.data?.['viewer']).toEqual({
      technician: { passkeys: [{ id: signedIn['passkeyId'], lastUsedAt: signedIn['signedInAt'] }] },
    });
    await eventually(async () => expect(await auditActionsOf(tenants, anna.id)).toContain('technician.signed-in'));
  });

  test.each<[string, Attack]>([
    ['without user verification', { userVerified: false }],
    ['made on another site', { origin: 'http://localhost.evil.example:4000' }],
    ['made on another port', { origin: 'http://localhost:4001' }],
    ['for another site', { rpId: 'evil.example' }],
    ['over a challenge of the caller’s own', { challenge: Buffer.alloc(32).toString('base64url') }],
    ['of the wrong kind', { type: 'webauthn.create' }],
    ['within a frame of another site', { crossOrigin: true }],
  ])('%s is refused and recorded', async (_, attack) => {
    const person = await joinAs(tenants, administrator, `${newId()}@example.com`);
    expect((await signIn(person, attack)).__typename).toBe('SignInRefused');
    await eventually(async () => expect(await auditActionsOf(tenants, person.id)).toContain('technician.sign-in-refused'));
    expect((await signIn(person)).__typename).toBe('SignedIn');
  });

  test('counts once, however many send it at the same time', async () => {
    const bert = await joinAs(tenants, administrator, 'bert@example.com');
    const response = bert.phone.sign(await start(), origin);
    const answers = await Promise.all(Array.from({ length: 20 }, () => finish(response)));
    expect(answers.filter(({ __typename }) => __typename === 'SignedIn')).toHaveLength(1);
    expect(answers.filter(({ __typename }) => __typename === 'SignInRefused')).toHaveLength(19);
  });

  test('takes two minutes at most', async () => {
    const carl = await joinAs(tenants, administrator, 'carl@example.com');
    const response = carl.phone.sign(await start(), origin);
    tenants.clock.advance(121);
    expect((await finish(response)).__typename).toBe('SignInRefused');
  });

  test('with a counter that went back, as a cloned authenticator’s does, is refused', async () => {
    const dora = await joinAs(tenants, administrator, 'dora@example.com');
    expect((await signIn(dora, { counter: 7 })).__typename).toBe('SignedIn');
    expect((await signIn(dora, { counter: 7 })).__typename).toBe('SignInRefused');
    expect((await signIn(dora, { counter: 3 })).__typename).toBe('SignInRefused');
    expect((await signIn(dora, { counter: 8 })).__typename).toBe('SignedIn');
  });

  test('under the passkey or user handle of somebody else is refused', async () => {
    const eve = await joinAs(tenants, administrator, 'eve@example.com');
    const fred = await joinAs(tenants, administrator, 'fred@example.com');
    const stolen = fred.phone.passkeys[0]?.credentialId ?? '';
    const signed = () => start().then((options) => eve.phone.sign(options, origin));
    expect((await finish({ ...(await signed()), id: stolen, rawId: stolen })).__typename).toBe('SignInRefused');
    const meant = await signed();
    const handle = Buffer.from(fred.id.replaceAll('-', ''), 'hex').toString('base64url');
    expect((await finish({ ...meant, response: { ...meant.response, userHandle: handle } })).__typename).toBe('SignInRefused');
  });

  test.each(['', '{}', 'null', '[]', '{"id":"x","response":{"clientDataJSON":"e30"}}'])('of %p is refused', async (response) => {
    expect((await finish(response)).__typename).toBe('SignInRefused');
  });

  test('of somebody unknown and of somebody switched off is refused in the same words', async () => {
    const gina = await joinAs(tenants, administrator, 'gina@example.com');
    await switchOff(gina);
    const off = await signIn(gina);
    const unknown = gina.phone.sign(await start(), origin);
    expect(off).toEqual(await finish({ ...unknown, id: 'dW5rbm93bg', rawId: 'dW5rbm93bg' }));
    expect(off.__typename).toBe('SignInRefused');
  });

  test('beside an identity provider must be of the person for whom it vouched', async () => {
    const hugo = await joinAs(tenants, administrator, 'hugo@example.com');
    const ina = await joinAs(tenants, administrator, 'ina@example.com');
    const response = async () => hugo.phone.sign(await start(), origin);
    expect((await finish(await response(), { vouchedFor: ina.id })).__typename).toBe('SignInRefused');
    expect((await finish(await response(), { vouchedFor: hugo.id })).__typename).toBe('SignedIn');
  });

  test('that is refused over and over does not fill the audit log', async () => {
    const jo = await joinAs(tenants, administrator, 'jo@example.com');
    const response = jo.phone.sign(await start(), origin, { userVerified: false });
    for (let count = 0; count < 30; count += 1) await finish(response);
    await eventually(async () => {
      const refused = (await auditActionsOf(tenants, jo.id)).filter((action) => action === 'technician.sign-in-refused');
      expect(refused).toHaveLength(20);
    });
  });
});

describe('what a technician may do', () => {
  test('is told for an access token, and nothing once switched off', async () => {
    const kim = await joinAs(tenants, administrator, 'kim@example.com', 'HELPDESK');
    const { mspId, tenantId } = kim.actor;
    expect(await principalOf(kim.id)).toEqual({
      ...{ mspId, tenantId, active: true },
      access: [{ tenantId, permissions: ['tenant.read', 'device.read', 'laps.reveal'] }],
    });
    await switchOff(kim);
    expect(await principalOf(kim.id)).toBeNull();
  });

  test('is nothing for somebody who has not joined, or for no id', async () => {
    const id = newId();
    await tenants.send(administrator, `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} } }`, {
      input: { id, tenantId: administrator.tenantId, email: 'not-yet@example.com', roles: ['TECHNICIAN'] },
    });
    for (const unknown of [id, newId(), 'x']) expect(await principalOf(unknown)).toBeNull();
  });
});

test('only the gateway may sign people in', async () => {
  for (const caller of [administrator, anonymous]) {
    for (const query of [startMutation, `{ technicianPrincipal(id: "${administrator.id}") { active } }`]) {
      expect((await tenants.send(caller, query)).errors?.[0]?.extensions.code).toMatch(/FORBIDDEN|UNAUTHENTICATED/);
    }
  }
});
