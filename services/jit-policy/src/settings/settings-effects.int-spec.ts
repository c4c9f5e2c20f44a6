// What settings do to accounts and sessions. What real accounts see of it: e2e settings.e2e-spec.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Payload } from '@stint/contracts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { World, type Computer, type Technician } from '../testing/world.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let computer: Computer;
let other: Computer;
let anna: Technician;
let admin: Technician;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
beforeEach(async () => {
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  computer = await world.computer(customer);
  other = await world.computer(customer);
  anna = await world.technician(msp);
  admin = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
});
afterAll(() => service.close());

const set = (patch: object, tenant = customer) =>
  world.mutate(admin.actor, 'updateJitSettings', '... on Tenant { __typename }', { tenantId: tenant.tenantId, ...patch });
const account = async (on: Computer) => (await world.desired(on)).accounts?.[0];
/** Logs in and off again. */
const used = async (on: Computer): Promise<void> => {
  const grantId = await world.active(anna, on);
  await world.report(on, [{ grantId, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
};

test('accountNamePrefix: accounts that are made from now on; one that exists keeps its name', async () => {
  await used(computer);
  await set({ accountNamePrefix: 'adm_' });
  await used(computer);
  await used(other);
  expect(await account(computer)).toMatchObject({ name: 'jit-annaberg' });
  expect(await account(other)).toMatchObject({ name: 'adm_annaberg' });
});

test('passwordLength: from the next login on, also of an account that exists', async () => {
  await used(computer);
  expect(await account(computer)).toMatchObject({ passwordLength: 24 });
  await set({ passwordLength: 127 });
  expect(await account(computer)).toMatchObject({ passwordLength: 24 });
  await world.granted(anna, computer);
  expect(await account(computer)).toMatchObject({ passwordLength: 127 });
});

test('idleEndSeconds and removeNewPrivileged: what the computer is told of a login that is approved from now on', async () => {
  await world.granted(anna, computer);
  await set({ idleEndSeconds: 60, removeNewPrivileged: true });
  await world.granted(anna, other);
  expect(await account(computer)).toMatchObject({ removeNewPrivileged: false, grants: [{ idleEndSeconds: 600 }] });
  expect(await account(other)).toMatchObject({ removeNewPrivileged: true, grants: [{ idleEndSeconds: 60 }] });
});

test('sessionSeconds: the session of a login that begins from now on ends that long after the account is active', async () => {
  await set({ sessionSeconds: 600 }, msp);
  const login = await world.start(computer);
  await set({ sessionSeconds: 60 });
  const approved = await world.approve(anna, login);
  const grantId = (approved['grant'] as { id: string }).id;
  await world.report(computer, [{ grantId, state: 'ACTIVE' }]);
  const lasts = async (id: string) => {
    const { activeAt, expiresAt } = await world.grant(anna, id);
    return (Date.parse(String(expiresAt)) - Date.parse(String(activeAt))) / 1000;
  };
  expect(await lasts(grantId)).toBe(600);
  expect(await lasts(await world.active(anna, other))).toBe(60);
});
