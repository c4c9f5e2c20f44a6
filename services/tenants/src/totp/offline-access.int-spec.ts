import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { URI, type TOTP } from 'otpauth';
import type { Actor, Role } from '@stint/contracts';
import { deviceTotpSeed, generateHpkeKeyPair, offlineTotpInfo, offlineTotpPlace, openSealed, type HpkeKeyPair } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import {
  createTenant,
  enrollDevice,
  joinAs,
  joinFirst,
  only,
  problem,
  startTestTenants,
  type Person,
  type TestTenants,
} from '../test-tenants.support.ts';

let tenants: TestTenants;
let administrator: Actor;
let customer: Id;
let other: Id;
let device: Actor;
let keys: HpkeKeyPair;

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ administrator } = await joinFirst(tenants));
  customer = await createTenant(tenants, administrator, 'Contoso');
  other = await createTenant(tenants, administrator, 'Fabrikam');
  keys = await generateHpkeKeyPair();
  device = await enrolled(customer);
});
afterAll(() => tenants.close());

async function enrolled(tenantId: Id): Promise<Actor> {
  const made = await enrollDevice(tenants, administrator, tenantId);
  await tenants.database.query(`update tenants.device set hpke_key = '${keys.publicKey}' where id = '${made.id}'`);
  return made;
}

interface Sealed {
  enc: string;
  ciphertext: string;
}
type Answered = { sealedSecret: Sealed | null } | null;
const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on OfflineAccess { technicianId sealedSecret { enc ciphertext } } } }`;
const ask = (actor: Actor, deviceId: Id, ...technicianIds: Id[]) =>
  tenants.send(actor, query, { refs: technicianIds.map((technicianId) => ({ __typename: 'OfflineAccess', deviceId, technicianId })) });
async function secrets(actor: Actor, deviceId: Id, ...technicianIds: Id[]): Promise<(Sealed | null)[]> {
  const answer = await ask(actor, deviceId, ...technicianIds);
  return (answer.data?.['_entities'] as unknown as Answered[]).map((one) => one?.sealedSecret ?? null);
}

/** Somebody with an authenticator app: the seed as the app has it. */
async function withTotp(email: string, role: Role = 'TECHNICIAN', tenantId?: Id): Promise<Person & { seed: Buffer }> {
  const person = await joinAs(tenants, administrator, email, role, tenantId);
  const mine = await generateHpkeKeyPair();
  const enroll = `mutation ($input: EnrollTotpInput!) { enrollTotp(input: $input) { ${problem} ... on TotpEnrollment { enc ciphertext } } }`;
  const sealed = only(await tenants.send(person.fresh(), enroll, { input: { recipientKey: mine.publicKey } })) as unknown as Sealed;
  const uri = await openSealed({ privateKey: mine.privateKey, info: 'stint-totp-enrollment-v1', aad: person.id }, sealed);
  const app = URI.parse(uri.toString()) as TOTP;
  const confirm = `mutation ($input: ConfirmTotpInput!) { confirmTotp(input: $input) { ${problem} } }`;
  const code = app.generate({ timestamp: tenants.clock.now().getTime() });
  expect(only(await tenants.send(person.fresh(), confirm, { input: { code } })).__typename).toBe('Technician');
  return { ...person, seed: Buffer.from(app.secret.bytes) };
}

test('services/jit-policy is told once somebody has TOTP', async () => {
  const anna = await withTotp('told@example.com');
  const told = await tenants.database.query<{ enrolled: boolean }>(
    `select (payload ->> 'totpEnrolled')::boolean as enrolled from tenants.outbox where type = 'technician-changed' and target = 'jit-policy' and payload ->> 'technicianId' = '${anna.id}' order by (payload ->> 'version')::int`,
  );
  expect(told.map(({ enrolled }) => enrolled)).toEqual([...told.slice(1).map(() => false), true]);
});

test('a device gets the secrets for itself alone, which the technician`s own app can derive', async () => {
  const [anna, bo] = [await withTotp('anna@example.com'), await withTotp('bo@example.com', 'TECHNICIAN', customer)];
  const sealed = await secrets(device, device.id, anna.id, bo.id);
  for (const [index, person] of [anna, bo].entries()) {
    const at = { privateKey: keys.privateKey, info: offlineTotpInfo };
    const secret = sealed[index] ?? { enc: '', ciphertext: '' };
    expect(await openSealed({ ...at, aad: offlineTotpPlace(device.id, person.id) }, secret)).toEqual(
      deviceTotpSeed(person.seed, device.id),
    );
    await expect(openSealed({ ...at, aad: offlineTotpPlace(newId(), person.id) }, secret)).rejects.toThrow();
  }
  const there = await enrolled(customer);
  const [elsewhere] = await secrets(there, there.id, anna.id);
  const place = { privateKey: keys.privateKey, info: offlineTotpInfo, aad: offlineTotpPlace(there.id, anna.id) };
  expect(await openSealed(place, elsewhere ?? { enc: '', ciphertext: '' })).not.toEqual(deviceTotpSeed(anna.seed, device.id));
});

test('nobody but the device itself gets one', async () => {
  const anna = await withTotp('only-the-device@example.com');
  const neighbour = await enrolled(customer);
  for (const actor of [neighbour, administrator, anna.fresh()]) {
    const answer = await ask(actor, device.id, anna.id);
    expect(JSON.stringify(answer.data ?? null)).not.toContain('ciphertext":"');
  }
  expect(await secrets(device, device.id, anna.id)).toEqual([expect.objectContaining({ enc: expect.any(String) })]);
});

test('there is none without TOTP, without a role for logins here, for somebody switched off, or unknown', async () => {
  const none = await joinAs(tenants, administrator, 'none@example.com');
  const auditor = await withTotp('auditor@example.com', 'AUDITOR');
  const elsewhere = await withTotp('elsewhere@example.com', 'TECHNICIAN', other);
  const off = await withTotp('off@example.com');
  const update = `mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { ${problem} } }`;
  only(await tenants.send(administrator, update, { input: { id: off.id, active: false } }));
  expect(await secrets(device, device.id, none.id, auditor.id, elsewhere.id, off.id, newId(), 'nonsense')).toEqual(
    Array.from({ length: 6 }, () => null),
  );
});

test('a revoked device gets none', async () => {
  const anna = await withTotp('revoked@example.com');
  const gone = await enrolled(customer);
  await tenants.database.query(`update tenants.device set active = false where id = '${gone.id}'`);
  expect(await secrets(gone, gone.id, anna.id)).toEqual([null]);
});
