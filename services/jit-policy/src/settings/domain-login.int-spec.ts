import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Payload } from '@stint/contracts';
import { newId } from '@stint/kernel';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { World, type Computer, type Technician } from '../testing/world.ts';

let service: TestJitPolicy;
let world: World;
let customer: Payload<'tenant-changed'>;
let controller: Computer;
let computer: Computer;
let admin: Technician;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
beforeEach(async () => {
  const msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  admin = await world.technician(msp, 'ADMINISTRATOR');
  controller = await world.computer(customer, { kind: 'DOMAIN_CONTROLLER', domain: 'corp.example.com' });
  computer = await world.computer(customer, { domain: 'corp.example.com' });
  await service.settled();
});
afterAll(() => service.close());

const set = (patch: object) =>
  world.mutate(admin.actor, 'updateJitSettings', '... on Tenant { __typename }', {
    tenantId: customer.tenantId,
    domainAdminGroups: ['JIT admins'],
    ...patch,
  });
const start = (at = computer) =>
  world.mutate(
    at.actor,
    'startLogin',
    '... on StartedLogin { __typename loginRequest { id accountKinds accountKind domainObstacle } } ... on NotAllowedBySettings { setting }',
    { id: newId(), method: 'QR' },
  );
const noAgent = async () => {
  await service.tell('device-changed', { ...controller.told, active: false, version: 2 });
  await service.settled();
};

test('LOCAL: a computer of a domain gets local accounts, and nothing is missing', async () => {
  expect(await start()).toMatchObject({ loginRequest: { accountKinds: ['LOCAL'], accountKind: 'LOCAL', domainObstacle: null } });
});

test('PROMPT still offers a local account when the last agent on a domain controller is gone, and says what is missing', async () => {
  expect(await set({ domainLoginMode: 'PROMPT' })).toMatchObject({ __typename: 'Tenant' });
  await noAgent();
  expect(await start()).toMatchObject({
    loginRequest: {
      accountKinds: ['LOCAL'],
      accountKind: 'LOCAL',
      domainObstacle: expect.stringContaining('No agent on a domain controller'),
    },
  });
});

test('DOMAIN says so at the login when the last agent on a domain controller is gone', async () => {
  expect(await set({ domainLoginMode: 'DOMAIN' })).toMatchObject({ __typename: 'Tenant' });
  await noAgent();
  expect(await start()).toMatchObject({
    __typename: 'NotAllowedBySettings',
    setting: 'domainLoginMode',
    message: expect.stringContaining('No agent on a domain controller of corp.example.com'),
  });
});

test('DOMAIN changes nothing for a computer that is in no domain', async () => {
  await set({ domainLoginMode: 'DOMAIN' });
  const alone = await world.computer(customer);
  await service.settled();
  expect(await start(alone)).toMatchObject({ loginRequest: { accountKinds: ['LOCAL'] } });
});
