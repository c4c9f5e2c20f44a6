import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, Principal } from '@stint/contracts';
import { generateHpkeKeyPair } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { PasskeyEmulator } from '@stint/passkey-emulator';
import { eventually } from '@stint/testing';
import {
  anonymous,
  auditActionsOf,
  createTenant,
  joinAs,
  joinFirst,
  only,
  origin,
  problem,
  startTestTenants,
  technician,
  type Person,
  type TestTenants,
} from '../test-tenants.support.ts';

const gateway: Principal = { kind: 'gateway' };
let tenants: TestTenants;
let ada: Person;
let ben: Person;
let cleo: Person;
let mspId: Id;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ first: ada, mspId } = await joinFirst(tenants));
  ben = await joinAs(tenants, ada.actor, 'ben@example.com', 'ADMINISTRATOR');
  cleo = await joinAs(tenants, ada.actor, 'cleo@example.com', 'ADMINISTRATOR');
});
afterAll(() => tenants.close());

const start = (by: Actor, technicianId: Id, id = newId()) =>
  tenants
    .send(by, `mutation ($input: StartRecoveryInput!) { startRecovery(input: $input) { ${problem} ... on Recovery { id state } } }`, {
      input: { id, technicianId, reason: 'Lost phone; called back on the known number' },
    })
    .then(only);
const approve = (by: Actor, id: unknown) =>
  tenants
    .send(
      by,
      `mutation ($id: ID!) { approveRecovery(input: { id: $id }) { ${problem} ... on ApprovedRecovery { link recovery { state } } } }`,
      { id },
    )
    .then(only);
const cancel = (by: Actor, id: unknown) =>
  tenants
    .send(by, `mutation ($id: ID!) { cancelRecovery(input: { id: $id }) { ${problem} ... on Recovery { state } } }`, { id })
    .then(only);
const optionsFor = (token: string | undefined) =>
  tenants
    .send(
      anonymous,
      `mutation ($token: String!) { startJoining(input: { token: $token }) { ${problem} ... on JoiningStarted { optionsJson kind email } } }`,
      {
        token,
      },
    )
    .then(only);
const redeem = (token: string | undefined, registration: string) =>
  tenants
    .send(
      anonymous,
      `mutation ($input: RedeemRecoveryInput!) { redeemRecovery(input: $input) { ${problem} ... on SignUp { technician { id totpEnrolled passkeys { label } } } } }`,
      {
        input: { token, registration },
      },
    )
    .then(only);
async function signIn(phone: PasskeyEmulator): Promise<string> {
  const { optionsJson } = only(await tenants.send(gateway, 'mutation { startPasskeySignIn { __typename optionsJson } }'));
  const response = JSON.stringify(phone.sign(String(optionsJson), origin));
  const query = `mutation ($input: FinishPasskeySignInInput!) { finishPasskeySignIn(input: $input) { ${problem} } }`;
  return only(await tenants.send(gateway, query, { input: { response } })).__typename;
}
async function approved(person: Person) {
  const started = await start(ada.actor, person.id);
  const { link } = await approve(ben.actor, started['id']);
  return { id: started['id'], token: String(link).split('#')[1] };
}
const registrationFor = async (token: string | undefined, phone = new PasskeyEmulator()) =>
  JSON.stringify(phone.register(String((await optionsFor(token))['optionsJson']), origin));

describe('a recovery', () => {
  test('by two administrators lets the person in with a new passkey, and ends all from before', async () => {
    const anna = await joinAs(tenants, ada.actor, 'anna@example.com');
    const keys = await generateHpkeKeyPair();
    await tenants.send(anna.fresh(), `mutation ($k: String!) { enrollTotp(input: { recipientKey: $k }) { ${problem} } }`, {
      k: keys.publicKey,
    });
    const sessionId = newId();
    await tenants.send(gateway, `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${problem} } }`, {
      input: {
        ...{ id: sessionId, technicianId: anna.id, client: 'stint-cli', userAgent: 'x', signedInBy: 'PASSKEY', payload: '{}' },
        expiresAt: new Date(tenants.clock.now().getTime() + 3_600_000).toISOString(),
      },
    });
    const { token } = await approved(anna);
    expect(await optionsFor(token)).toMatchObject({ kind: 'RECOVERY', email: 'anna@example.com' });
    expect(await signIn(anna.phone)).toBe('SignedIn');
    const phone = new PasskeyEmulator();
    expect(await redeem(token, await registrationFor(token, phone))).toMatchObject({
      technician: { id: anna.id, totpEnrolled: false },
    });
    expect(await signIn(anna.phone)).toBe('SignInRefused');
    expect(await signIn(phone)).toBe('SignedIn');
    expect(await tenants.database.query(`select 1 from tenants.totp where id = '${anna.id}'`)).toEqual([]);
    const session = await tenants.send(gateway, 'query ($id: ID!) { sessionPayload(id: $id) }', { id: sessionId });
    expect(session.data).toEqual({ sessionPayload: null });
    await eventually(async () => {
      expect(await auditActionsOf(tenants, anna.id)).toEqual(
        expect.arrayContaining(['recovery.started', 'recovery.approved', 'recovery.redeemed', 'passkey.registered']),
      );
    });
    const stored = await tenants.database.query('select * from tenants.recovery');
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  test('is redeemed once, however many try', async () => {
    const bert = await joinAs(tenants, ada.actor, 'bert@example.com');
    const { token } = await approved(bert);
    const registrations = await Promise.all(Array.from({ length: 10 }, () => registrationFor(token)));
    const answers = await Promise.all(registrations.map((one) => redeem(token, one)));
    expect(answers.filter(({ __typename }) => __typename === 'SignUp')).toHaveLength(1);
  });

  test('that is not approved, cancelled or over opens nothing', async () => {
    const carl = await joinAs(tenants, ada.actor, 'carl@example.com');
    const { id, token } = await approved(carl);
    const registration = await registrationFor(token);
    expect((await cancel(cleo.actor, id))['state']).toBe('CANCELLED');
    expect((await redeem(token, registration)).__typename).toBe('InvitationInvalid');
    const again = await approved(carl);
    tenants.clock.advance(24 * 3600 + 1);
    expect((await optionsFor(again.token)).__typename).toBe('InvitationInvalid');
    const late = await start(ada.actor, carl.id);
    tenants.clock.advance(24 * 3600 + 1);
    expect((await approve(ben.actor, late['id'])).__typename).toBe('Conflict');
    expect(await signIn(carl.phone)).toBe('SignedIn');
  });

  test('takes a second administrator who is not the person, and neither is the first', async () => {
    const started = await start(ada.actor, ben.id);
    expect((await approve(ada.actor, started['id'])).__typename).toBe('Conflict');
    expect((await approve(ben.actor, started['id'])).__typename).toBe('Conflict');
    expect((await start(ben.actor, ben.id)).__typename).toBe('Conflict');
    expect((await approve(cleo.actor, started['id'])).__typename).toBe('ApprovedRecovery');
    expect((await approve(cleo.actor, started['id'])).__typename).toBe('Conflict');
    expect((await cancel(ada.actor, started['id'])).__typename).toBe('Recovery');
  });

  test('of two who approve at once, one gets the link', async () => {
    const dora = await joinAs(tenants, ada.actor, 'dora@example.com');
    const { id } = await start(ada.actor, dora.id);
    const answers = await Promise.all([approve(ben.actor, id), approve(cleo.actor, id)]);
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual(['ApprovedRecovery', 'Conflict']);
  });

  test('started by somebody who is switched off meanwhile is not approved', async () => {
    const eve = await joinAs(tenants, ada.actor, 'eve@example.com', 'ADMINISTRATOR');
    const fred = await joinAs(tenants, ada.actor, 'fred@example.com');
    const { id } = await start(eve.actor, fred.id);
    await tenants.send(ada.actor, `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`, {
      id: eve.id,
    });
    expect((await approve(ben.actor, id)).__typename).toBe('Conflict');
  });

  test('is not for a customer’s administrators where the person holds a role above', async () => {
    // A new tenant's id must carry the present time.
    tenants.clock.set(new Date());
    const customer = await createTenant(tenants, ada.actor, 'Contoso');
    const local = await joinAs(tenants, ada.actor, 'local@example.com', 'ADMINISTRATOR', customer);
    const gina = await joinAs(tenants, ada.actor, 'gina@example.com', 'TECHNICIAN', customer);
    await tenants.send(ada.actor, `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { ${problem} } }`, {
      input: { id: newId(), technicianId: gina.id, tenantId: mspId, role: 'AUDITOR' },
    });
    expect((await start(local.actor, gina.id)).__typename).toBe('Conflict');
    expect((await start(local.actor, ada.id)).__typename).toBe('NotFound');
    expect((await start(technician(mspId, mspId, 'TECHNICIAN'), gina.id).catch(() => ({ __typename: 'FORBIDDEN' }))).__typename).toBe(
      'FORBIDDEN',
    );
  });

  test('started again by the same call is the same, and a second one a conflict', async () => {
    const hugo = await joinAs(tenants, ada.actor, 'hugo@example.com');
    const id = newId();
    const first = await start(ada.actor, hugo.id, id);
    expect(await start(ada.actor, hugo.id, id)).toEqual(first);
    expect((await start(ben.actor, hugo.id)).__typename).toBe('Conflict');
    const seen = await tenants.send(ben.actor, 'query ($id: ID!) { technician(id: $id) { recovery { id state startedBy { email } } } }', {
      id: hugo.id,
    });
    expect(seen.data?.['technician']).toEqual({ recovery: { id, state: 'PENDING', startedBy: { email: 'ada@example.com' } } });
  });
});
