import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { PasskeyEmulator, type Attack } from '@stint/passkey-emulator';
import { eventually } from '@stint/testing';
import {
  auditActionsOf,
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

let tenants: TestTenants;
let administrator: Actor;
let mspId: Id;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator, mspId } = await joinFirst(tenants));
});
afterAll(() => tenants.close());

const start = (actor: Actor) =>
  tenants
    .send(actor, `mutation { startPasskeyRegistration { ${problem} ... on PasskeyRegistrationStarted { optionsJson expiresAt } } }`)
    .then(only);
const register = (actor: Actor, registration: string, label = 'Security key') =>
  tenants
    .send(
      actor,
      `mutation ($input: RegisterPasskeyInput!) { registerPasskey(input: $input) { ${problem} ... on Passkey { id label backedUp lastUsedAt } } }`,
      {
        input: { registration, label },
      },
    )
    .then(only);
const remove = (actor: Actor, id: string) =>
  tenants
    .send(
      actor,
      `mutation ($input: RemovePasskeyInput!) { removePasskey(input: $input) { ${problem} ... on Technician { passkeys { id } } } }`,
      {
        input: { id },
      },
    )
    .then(only);
const passkeysOf = async (actor: Actor, id: Id) =>
  only(await tenants.send(actor, 'query ($id: ID!) { technician(id: $id) { __typename passkeys { id credentialId label } } }', { id }))[
    'passkeys'
  ] as { id: string; credentialId: string; label: string }[];
const keysTold = async (technicianId: Id) => {
  const rows = await tenants.database.query<{ payload: { technicianId: Id; keys: { id: string }[] } }>(
    `select payload from tenants.outbox where type = 'technician-keys-changed' order by id`,
  );
  return rows.findLast(({ payload }) => payload.technicianId === technicianId)?.payload.keys;
};

async function another(person: Person, attack: Attack = {}, phone = new PasskeyEmulator()) {
  const { optionsJson } = await start(person.fresh());
  return register(person.fresh(), JSON.stringify(phone.register(String(optionsJson), origin, attack)));
}

describe('another passkey', () => {
  test('is registered, listed, told to the other services, and removed', async () => {
    const anna = await joinAs(tenants, administrator, 'anna@example.com');
    const added = await another(anna);
    expect(added).toMatchObject({ __typename: 'Passkey', label: 'Security key', backedUp: true, lastUsedAt: null });
    const listed = await passkeysOf(administrator, anna.id);
    expect(listed.map(({ label }) => label)).toEqual(['First passkey', 'Security key']);
    expect((await keysTold(anna.id))?.map(({ id }) => id)).toEqual(listed.map(({ credentialId }) => credentialId));
    expect(await remove(anna.fresh(), String(listed[0]?.id))).toEqual({ __typename: 'Technician', passkeys: [{ id: added['id'] }] });
    expect((await keysTold(anna.id))?.map(({ id }) => id)).toEqual([listed[1]?.credentialId]);
    await eventually(async () => {
      expect(await auditActionsOf(tenants, anna.id)).toEqual(expect.arrayContaining(['passkey.registered', 'passkey.removed']));
    });
  });

  test('registered again by the same call is the same passkey', async () => {
    const bert = await joinAs(tenants, administrator, 'bert@example.com');
    const registration = JSON.stringify(new PasskeyEmulator().register(String((await start(bert.fresh()))['optionsJson']), origin));
    const first = await register(bert.fresh(), registration);
    expect(await register(bert.fresh(), registration)).toEqual(first);
    expect(await passkeysOf(administrator, bert.id)).toHaveLength(2);
  });

  test('is not made on a device that has one already', async () => {
    const carl = await joinAs(tenants, administrator, 'carl@example.com');
    const { optionsJson } = await start(carl.fresh());
    expect(() => carl.phone.register(String(optionsJson), origin)).toThrow('already');
  });

  test('beyond six is a conflict', async () => {
    const dora = await joinAs(tenants, administrator, 'dora@example.com');
    for (let count = 1; count < 6; count += 1) expect((await another(dora)).__typename).toBe('Passkey');
    expect(await start(dora.fresh())).toMatchObject({ __typename: 'Conflict' });
  });

  test.each<[string, Attack]>([
    ['without user verification', { userVerified: false }],
    ['made on another site', { origin: 'https://evil.example' }],
    ['for another site', { rpId: 'evil.example' }],
    ['over another challenge', { challenge: 'AAAA' }],
  ])('%s is refused and changes nothing', async (_, attack) => {
    const eve = await joinAs(tenants, administrator, `eve-${newId()}@example.com`);
    expect((await another(eve, attack)).__typename).toBe('PasskeyRefused');
    expect(await passkeysOf(administrator, eve.id)).toHaveLength(1);
  });

  test('over a challenge that is used, over or another person’s is refused', async () => {
    const fred = await joinAs(tenants, administrator, 'fred@example.com');
    const gina = await joinAs(tenants, administrator, 'gina@example.com');
    const options = String((await start(fred.fresh()))['optionsJson']);
    const registration = () => JSON.stringify(new PasskeyEmulator().register(options, origin));
    expect((await register(gina.fresh(), registration())).__typename).toBe('PasskeyRefused');
    expect((await register(fred.fresh(), registration())).__typename).toBe('Passkey');
    expect((await register(fred.fresh(), registration())).__typename).toBe('PasskeyRefused');
    const late = JSON.stringify(new PasskeyEmulator().register(String((await start(fred.fresh()))['optionsJson']), origin));
    tenants.clock.advance(301);
    expect((await register(fred.fresh(), late)).__typename).toBe('PasskeyRefused');
  });

  test('that belongs to somebody already is a conflict', async () => {
    const hugo = await joinAs(tenants, administrator, 'hugo@example.com');
    const ina = await joinAs(tenants, administrator, 'ina@example.com');
    const phone = new PasskeyEmulator();
    const { optionsJson } = await start(ina.fresh());
    const registration = phone.register(String(optionsJson), origin);
    await tenants.database.query(`update tenants.passkey set credential_id = '${registration.id}' where technician_id = '${hugo.id}'`);
    expect((await register(ina.fresh(), JSON.stringify(registration))).__typename).toBe('Conflict');
  });
});

describe('changing passkeys', () => {
  test.each<[string, (person: Person) => Actor]>([
    ['a caller who did not sign in with a passkey', ({ actor }) => actor],
    [
      'a sign-in that is 301 s old',
      ({ actor }) => ({ ...actor, signedInAt: new Date(tenants.clock.now().getTime() - 301_000).toISOString() }),
    ],
  ])('is not for %s', async (_, as) => {
    const person = await joinAs(tenants, administrator, `late-${newId()}@example.com`);
    const [first] = await passkeysOf(administrator, person.id);
    expect((await start(as(person))).__typename).toBe('SignInTooOld');
    expect((await register(as(person), '{}')).__typename).toBe('SignInTooOld');
    expect((await remove(as(person), String(first?.id))).__typename).toBe('SignInTooOld');
  });

  test('removes neither the last one nor another person’s', async () => {
    const jo = await joinAs(tenants, administrator, 'jo@example.com');
    const kim = await joinAs(tenants, administrator, 'kim@example.com');
    const [own] = await passkeysOf(administrator, jo.id);
    const [other] = await passkeysOf(administrator, kim.id);
    expect((await remove(jo.fresh(), String(own?.id))).__typename).toBe('Conflict');
    const foreign = await remove(jo.fresh(), String(other?.id));
    expect(foreign.__typename).toBe('NotFound');
    expect(foreign).toEqual(await remove(jo.fresh(), newId()));
  });

  test('is for nobody who is switched off', async () => {
    const lea = await joinAs(tenants, administrator, 'lea@example.com');
    await tenants.send(administrator, `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`, {
      id: lea.id,
    });
    expect((await start(lea.fresh())).__typename).toBe('NotFound');
  });

  test('of two that are removed at once, one stays', async () => {
    const max = await joinAs(tenants, administrator, 'max@example.com');
    await another(max);
    const ids = (await passkeysOf(administrator, max.id)).map(({ id }) => id);
    const answers = await Promise.all(ids.map((id) => remove(max.fresh(), id)));
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual(['Conflict', 'Technician']);
  });
});

test('who may not read technicians sees only their own passkeys', async () => {
  const helpdesk = await joinAs(tenants, administrator, 'help@example.com', 'HELPDESK');
  const seen = await tenants.send(helpdesk.actor, '{ viewer { technician { passkeys { label } } } }');
  expect(seen.data?.['viewer']).toEqual({ technician: { passkeys: [{ label: 'First passkey' }] } });
  const stranger = await tenants.send(technician(newId()), 'query ($id: ID!) { technician(id: $id) { passkeys { label } } }', {
    id: helpdesk.id,
  });
  expect(stranger.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  expect(mspId).toBe(helpdesk.actor.mspId);
});
