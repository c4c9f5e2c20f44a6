import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { World, type Technician } from '../testing/world.ts';
import { AuditRetentionSweep } from './audit-retention.sweep.ts';
import { SettingsRepository } from './settings.repository.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let branch: Payload<'tenant-changed'>;
let other: Payload<'tenant-changed'>;
let admin: Technician;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
beforeEach(async () => {
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  branch = await world.tenant(customer, 'Branch');
  other = await world.tenant(msp, 'Other');
  admin = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
});
afterAll(() => service.close());

const set = (tenantId: Id, auditRetentionDays: number | null) =>
  world.mutate(admin.actor, 'updateJitSettings', '... on Tenant { __typename }', { tenantId, auditRetentionDays });
/** What services/tenants was told of each of our tenants, in order of version. */
const told = async (): Promise<number[][]> => {
  const sweep = new AuditRetentionSweep(new SettingsRepository());
  while ((await service.system.asSystem((tx) => sweep.run(tx))) > 0);
  await eventually(async () => {
    expect(await service.rows(`select 1 from outbox where type = 'audit-retention-changed'`)).toEqual([]);
  });
  return [msp, customer, branch, other].map(({ tenantId }) =>
    service.others
      .received('audit-retention-changed', 'tenants')
      .filter((one) => one.tenantId === tenantId)
      .sort((a, b) => a.version - b.version)
      .map((one) => one.days),
  );
};
/** The service's own sweep may have had some of it in hand. */
const tells = (days: number[][]) => eventually(async () => expect(await told()).toEqual(days));

test('a tenant that appears, and every tenant for which the effective retention changes, is told of once', async () => {
  await tells([[400], [400], [400], [400]]);
  await set(customer.tenantId, 90);
  await tells([[400], [400, 90], [400, 90], [400]]);
  await set(msp.tenantId, 1000);
  await tells([
    [400, 1000],
    [400, 90],
    [400, 90],
    [400, 1000],
  ]);
  await set(branch.tenantId, 90);
  await tells([
    [400, 1000],
    [400, 90],
    [400, 90],
    [400, 1000],
  ]);
  await set(customer.tenantId, null);
  await tells([
    [400, 1000],
    [400, 90, 1000],
    [400, 90],
    [400, 1000],
  ]);
});

test('of two replicas one tells', async () => {
  await told();
  await set(msp.tenantId, 30);
  await Promise.all([told(), told(), told()]);
  await tells([
    [400, 30],
    [400, 30],
    [400, 30],
    [400, 30],
  ]);
  expect(
    service.others
      .received('audit-retention-changed', 'entra-connector')
      .filter((one) => one.tenantId === msp.tenantId)
      .map((one) => one.version),
  ).toEqual([1, 2]);
});

test('what services/tenants alone was told, before there was anybody else, is told again', async () => {
  await told();
  await service.rows('update audit_retention_told set told_all = default where id = $1', [customer.tenantId]);
  await tells([[400], [400, 400], [400], [400]]);
});

test('what a process of a former version tells services/tenants alone is told again', async () => {
  await told();
  await service.rows('update audit_retention_told set days = 90, version = version + 1 where id = $1', [customer.tenantId]);
  await set(customer.tenantId, 90);
  await tells([[400], [400, 90], [400, 90], [400]]);
  const last = service.others.received('audit-retention-changed', 'entra-connector').filter((one) => one.tenantId === customer.tenantId);
  expect(last.at(-1)).toMatchObject({ days: 90, version: 3 });
});
