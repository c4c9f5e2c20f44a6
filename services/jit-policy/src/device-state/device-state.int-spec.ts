import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { technicianActor, World, type Computer, type Technician } from '../testing/world.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { AccountRepository } from './account.repository.ts';
import { DeviceStateSweep } from './device-state.sweep.ts';
import { DeviceWorkService } from './device-work.service.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;
const day = 86_400;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
beforeEach(async () => {
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

/** The sweep that the service runs once a minute, now. */
async function sweep(): Promise<void> {
  const accounts = new AccountRepository();
  const copies = new DirectoryRepository();
  const one = new DeviceStateSweep(accounts, copies, new DeviceWorkService(copies, new GrantRepository(), accounts, () => undefined));
  while ((await service.system.asSystem((tx) => one.run(tx, service.clock.now()))) > 0);
}
/** It must be so by the sweep. A sweep skips a device that somebody else has in hand, and comes again. */
const swept = (expected: () => Promise<void>) =>
  eventually(async () => {
    await sweep();
    await expected();
  });
const state = async () => (await world.desired(computer)).accounts?.map((account) => account['state']);
const setRest = (tenantId: string, accountRestDays: number) =>
  world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', { tenantId, accountRestDays });
async function used(): Promise<void> {
  const grantId = await world.active(anna, computer);
  await world.report(computer, [{ grantId, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
}

test('an account that rested for 30 days must go; seen gone, it is not listed any more, and the report may come again', async () => {
  await used();
  service.clock.advance(30 * day - 1);
  await sweep();
  expect(await state()).toEqual(['DISABLED']);
  service.clock.advance(1);
  await swept(async () => expect((await world.desired(computer)).accounts).toMatchObject([{ state: 'ABSENT', grants: [] }]));
  const desired = await world.desired(computer);
  const report = { accountId: desired.accounts?.[0]?.['id'], state: 'ABSENT' };
  expect(await world.report(computer, [report])).toMatchObject({ __typename: 'ReportsTaken', revision: desired.revision + 1 });
  expect(await state()).toEqual([]);
  expect(await world.report(computer, [report])).toMatchObject({ __typename: 'ReportsTaken', revision: desired.revision + 1 });

  // The next login makes a new one, with a mark of its own.
  await world.granted(anna, computer);
  const next = (await world.desired(computer)).accounts;
  expect(next).toMatchObject([{ state: 'ENABLED', name: 'jit-annaberg' }]);
  expect(next?.[0]?.['id']).not.toBe(report.accountId);
});

test('the nearest tenant that sets the time counts', async () => {
  await used();
  await setRest(msp.tenantId, 3);
  await setRest(customer.tenantId, 5);
  service.clock.advance(5 * day - 1);
  await sweep();
  expect(await state()).toEqual(['DISABLED']);
  service.clock.advance(1);
  await swept(async () => expect(await state()).toEqual(['ABSENT']));
});

test('used again before it was deleted: it stays the same account', async () => {
  await used();
  service.clock.advance(30 * day);
  await swept(async () => expect(await state()).toEqual(['ABSENT']));
  const [before] = (await world.desired(computer)).accounts ?? [];
  await world.granted(anna, computer);
  expect((await world.desired(computer)).accounts).toMatchObject([{ id: before?.['id'], state: 'ENABLED' }]);
  // A late word that it was gone does not take it away from whoever uses it now.
  await world.report(computer, [{ accountId: before?.['id'], state: 'ABSENT' }]);
  expect(await state()).toEqual(['ENABLED']);
  await sweep();
  expect(await state()).toEqual(['ENABLED']);
});

test('an account whose end nobody has seen does not rest', async () => {
  const id = await world.active(anna, computer);
  await world.mutate(anna.actor, 'endGrant', '... on Grant { __typename }', { id });
  service.clock.advance(400 * day);
  await sweep();
  expect(await state()).toEqual(['DISABLED']);
});

test('what was seen gone is forgotten after 30 more days', async () => {
  await used();
  service.clock.advance(30 * day);
  await swept(async () => expect(await state()).toEqual(['ABSENT']));
  await world.report(computer, [{ state: 'ABSENT' }]);
  const rows = () => service.rows('select id from jit_account where device_id = $1', [computer.actor.id]);
  service.clock.advance(30 * day - 1);
  await sweep();
  expect(await rows()).toHaveLength(1);
  service.clock.advance(1);
  await swept(async () => expect(await rows()).toEqual([]));
});
