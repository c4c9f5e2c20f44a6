import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { AuditRetentionSweep } from '../settings/audit-retention.sweep.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';
import { World, type Computer, type Technician } from '../testing/world.ts';
import { LoginRetentionRepository } from './login-retention.repository.ts';
import { LoginRetentionSweep } from './login-retention.sweep.ts';

let service: TestJitPolicy;
let world: World;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;
const sweep = new LoginRetentionSweep(new LoginRetentionRepository());
const tables = ['login_request', 'access_request', 'access_approval', 'jit_grant', 'grant_change'] as const;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  const msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
  computer = await world.computer(customer);
  await service.settled();
  // 400 days, unless said otherwise.
  const retentions = new AuditRetentionSweep(new SettingsRepository());
  while ((await service.system.asSystem((tx) => retentions.run(tx))) > 0);
});
afterAll(() => service.close());

/** A login with all that can come of one, as it was so many days ago. */
async function login(daysAgo: number, end: 'ENDED' | 'ACTIVE' = 'ENDED'): Promise<{ grantId: Id; loginId: Id }> {
  const grantId = await world.active(anna, computer);
  if (end === 'ENDED') await world.report(computer, [{ grantId, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
  const [row] = await service.rows('select login_request_id as id from jit_grant where id = $1', [grantId]);
  const loginId = String((row as { id: Id }).id);
  const back = `- interval '${daysAgo} days'`;
  const values = [grantId, loginId];
  await service.rows(
    `insert into grant_change (msp_id, tenant_id, id, grant_id, seconds, changed_at) select msp_id, tenant_id, gen_random_uuid(), id, 60, approved_at ${back} from jit_grant where id = $1`,
    [grantId],
  );
  await service.rows(
    `insert into access_request (msp_id, tenant_id, id, login_request_id, technician_id, device_id, state, session_seconds, rule_id, rule_name, needed, max_seconds, requested_at, expires_at, ended_at)
     select msp_id, tenant_id, $1, login_request_id, technician_id, device_id, 'APPROVED', 3600, id, 'Rule', 1, 3600, approved_at, approved_at, approved_at from jit_grant where id = $1 and login_request_id = $2`,
    values,
  );
  await service.rows(
    `insert into access_approval (msp_id, tenant_id, id, access_request_id, approver_id, session_seconds, proof, approved_at)
     select msp_id, tenant_id, gen_random_uuid(), id, id, 3600, '{}', approved_at ${back} from jit_grant where id = $1`,
    [grantId],
  );
  await service.rows(
    `update jit_grant set approved_at = approved_at ${back}, activate_by = activate_by ${back}, active_at = active_at ${back}, ended_at = ended_at ${back} where id = $1`,
    [grantId],
  );
  await service.rows(`update login_request set started_at = started_at ${back} where id = $1`, [loginId]);
  return { grantId, loginId };
}
const counts = async () => {
  const all = await Promise.all(tables.map((table) => service.rows(`select count(*)::int as n from ${table}`)));
  return Object.fromEntries(tables.map((table, at) => [table, (all[at]?.[0] as { n: number }).n]));
};
const run = async () => {
  let removed = 0;
  for (let batch = -1; batch !== 0; removed += batch) batch = await service.system.asSystem((tx) => sweep.run(tx, service.clock.now()));
  return removed;
};

test('a login goes whole when it is over for longer than audit events are kept; what is younger or not over stays whole', async () => {
  const young = await login(399);
  const open = await login(401, 'ACTIVE');
  const old = await login(401);
  const all = { login_request: 3, access_request: 3, access_approval: 3, jit_grant: 3, grant_change: 3 };
  expect(await counts()).toEqual(all);
  expect(await run()).toBe(1);
  expect(await counts()).toEqual({ login_request: 2, access_request: 2, access_approval: 2, jit_grant: 2, grant_change: 2 });
  expect(await service.rows('select 1 from login_request where id = $1', [old.loginId])).toEqual([]);
  expect(await world.grant(anna, young.grantId)).toMatchObject({ state: 'ENDED' });
  expect(await world.grant(anna, open.grantId)).toMatchObject({ state: 'ACTIVE' });
  // Shorter by the setting: as services/tenants is told.
  await service.rows('update audit_retention_told set days = 398 where id = $1', [customer.tenantId]);
  expect(await run()).toBe(1);
  expect(await service.rows('select id from login_request')).toEqual([{ id: open.loginId }]);
});

test('logins that nobody approved go too, in batches; a waiting one and a tenant whose retention is not known lose nothing', async () => {
  const insert = (tenantId: Id, count: number, state: string) =>
    service.rows(
      `insert into login_request (msp_id, tenant_id, id, device_id, method, state, shown_number, host_name, tenant_name, session_seconds, started_at, expires_at, account_kinds)
       select $1, $2, gen_random_uuid(), $3, 'TOTP', $4, '42', 'ws', 'Customer', 60, now() - interval '500 days', now() - interval '500 days', '{LOCAL}' from generate_series(1, $5::int)`,
      [customer.mspId, tenantId, computer.actor.id, state, count],
    );
  await insert(customer.tenantId, 450, 'EXPIRED');
  await insert(customer.tenantId, 1, 'AWAITING_APPROVAL');
  await insert(anna.actor.id, 3, 'DENIED');
  expect(await service.system.asSystem((tx) => sweep.run(tx, service.clock.now()))).toBe(200);
  expect(await run()).toBe(250);
  expect(await service.rows(`select state from login_request where started_at < now() - interval '450 days' order by state`)).toEqual([
    { state: 'AWAITING_APPROVAL' },
    ...Array.from({ length: 3 }, () => ({ state: 'DENIED' })),
  ]);
});

test('the database itself lets go of nothing that was signed within 30 days, nor of a grant that is not over', async () => {
  const { grantId } = await login(1);
  const removed = await service.system.asSystem(async (tx) => [
    ...(await tx.query('delete from access_approval where access_request_id = $1 returning id', [grantId])),
    ...(await tx.query('delete from grant_change where grant_id = $1 returning id', [grantId])),
    ...(await tx.query('delete from jit_grant where id = $1 returning id', [grantId])),
    ...(await tx.query(`delete from jit_grant where state = 'ACTIVE' returning id`)),
  ]);
  expect(removed).toEqual([]);
});
