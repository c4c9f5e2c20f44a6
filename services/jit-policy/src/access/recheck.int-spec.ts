import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { technicianActor, World, type Computer, type Technician } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let bert: Technician;
let computer: Computer;
const seniors = oldId();

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  await service.tell('group-changed', { mspId: msp.mspId, tenantId: msp.tenantId, groupId: seniors, name: 'Seniors', version: 1 });
  anna = await world.technician(msp, 'TECHNICIAN', { groupIds: [seniors] });
  bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
  await service.settled();
  await world.rule(customer, { name: 'Servers', deviceTags: ['server'], groups: [seniors] });
  await world.rule(customer, { name: 'Servers: nobody else', deviceTags: ['server'], effect: 'DENY' });
  await world.rule(customer, { name: 'Vaults', deviceTags: ['vault'], groups: [seniors], approvals: 1 });
});
beforeEach(async () => {
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const administrator = () => technicianActor(msp, 'ADMINISTRATOR');
const update = (id: Id, input: object) =>
  world.mutate(administrator(), 'updateAccessRule', '... on AccessRule { __typename }', { id, ...input });
const remove = (id: Id) => world.mutate(administrator(), 'removeAccessRule', '... on AccessRuleRemoved { __typename }', { id });
const stateOf = async (grantId: Id) => world.grant(anna, grantId);
const removed = (grantId: Id) =>
  eventually(async () => expect(await stateOf(grantId)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' }));
const rechecked = () => eventually(async () => expect(await service.rows('select id from access_recheck')).toEqual([]));
const tagged = async (tag: string) => {
  const made = await world.computer(customer, { tags: [tag] });
  await service.settled();
  return made;
};

describe('access that would be denied now ends', () => {
  test('when the technician leaves the group, at once, and the computer is told', async () => {
    const carl = await world.technician(msp, 'TECHNICIAN', { email: 'carl@example.com', groupIds: [seniors] });
    const server = await tagged('server');
    const [on, elsewhere] = [await world.active(carl, server), await world.active(carl, computer)];
    service.nudges.length = 0;
    await service.tell('technician-changed', { ...carl.told, groupIds: [], version: 2 });
    await service.settled();
    expect(await stateOf(on)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
    expect(await stateOf(elsewhere)).toMatchObject({ state: 'ACTIVE' });
    expect((await world.desired(server)).accounts).toMatchObject([{ state: 'DISABLED' }]);
    await eventually(() => expect(service.nudges).toContain(server.actor.id));
    expect(await service.audited('grant.end-requested', on)).toMatchObject({
      actorKind: 'system',
      details: { endReason: 'ACCESS_REMOVED' },
    });
    // The computer reports it gone: seen, not believed.
    await world.report(server, [{ grantId: on, state: 'DISABLED' }]);
    expect(await stateOf(on)).toMatchObject({ state: 'ENDED', endReason: 'ACCESS_REMOVED' });
  });

  test('when the device gets another tag', async () => {
    const id = await world.active(bert, computer);
    await service.tell('device-changed', { ...computer.told, tags: ['server'], version: 2 });
    await service.settled();
    expect(await stateOf(id)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
  });

  test('when a rule is made, changed or removed, on the tenant or above', async () => {
    const grantId = await world.active(anna, computer);
    const high = await world.rule(msp, { name: 'Harmless', requireReason: true, groups: [seniors] });
    await rechecked();
    expect(await stateOf(grantId)).toMatchObject({ state: 'ACTIVE' });
    await update(high, { effect: 'DENY' });
    await removed(grantId);
    await remove(high);

    const allowing = await world.rule(customer, { name: 'Allowing', kinds: ['LOCAL_ADMIN'], groups: [seniors] });
    const denying = await world.rule(customer, { name: 'Denying', effect: 'DENY' });
    const next = await world.active(anna, await tagged('none'));
    await remove(allowing);
    await removed(next);
    await remove(denying);
    await rechecked();
  });

  test('a request that waits, with its login', async () => {
    const vault = await tagged('vault');
    const carl = await world.technician(msp, 'TECHNICIAN', { email: 'carl@example.com', groupIds: [seniors] });
    await service.settled();
    await world.rule(customer, { name: 'Vaults: nobody else', deviceTags: ['vault'], effect: 'DENY' });
    await rechecked();
    const login = await world.start(vault);
    expect(await world.approve(carl, login)).toMatchObject({ state: 'AWAITING_APPROVAL' });
    const request = await world.requestOf(carl, login);
    await service.tell('technician-changed', { ...carl.told, groupIds: [], version: 2 });
    await service.settled();
    const why = 'The access rule “Vaults: nobody else” denies it.';
    expect(await world.accessRequest(anna, request)).toMatchObject({ state: 'CANCELLED', endedBy: null, endedWhy: why });
    expect(await world.login(vault.actor, login.id)).toMatchObject({ state: 'FAILED', failure: why });
    expect(await service.audited('access.cancelled', request)).toMatchObject({ actorKind: 'system', details: { why } });
  });

  test('when the customer moves below another parent', async () => {
    const [region, branch] = [await world.tenant(msp, 'Region'), await world.tenant(msp, 'Branch')];
    await service.settled();
    const denying = await world.rule(region, { name: 'Region: nobody', effect: 'DENY' });
    const there = await world.computer(branch);
    await service.settled();
    const id = await world.active(anna, there);
    const path = [...region.path, branch.tenantId];
    await service.tell('tenant-changed', { ...branch, parentId: region.tenantId, path, version: 2 });
    await removed(id);
    await remove(denying);
  });
});

describe('access goes on', () => {
  test('when the hours are over, and when a rule only demands more', async () => {
    const hours = (from: number, to: number) => {
      const at = (offset: number) => new Date(service.clock.now().getTime() + offset * 3_600_000).toISOString().slice(11, 13);
      return {
        hours: [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: `${at(from)}:00`, to: `${at(to)}:00` }],
        timeZone: 'UTC',
      };
    };
    const rule = await world.rule(customer, { name: 'Now', deviceTags: ['now'], ...hours(-1, 1) });
    const login = await world.start(await tagged('now'));
    const approved = await world.approve(anna, login, { sessionSeconds: 28_800 }, { durationSeconds: 28_800 });
    const grantId = (approved['grant'] as { id: Id }).id;
    service.clock.advance(60);
    await service.rows(
      `update jit_grant set state = 'ACTIVE', active_at = approved_at, expires_at = approved_at + interval '8 hours' where id = $1`,
      [grantId],
    );
    service.clock.advance(2 * 3600);
    await update(rule, { requireTicket: true, approvals: 5, maxSeconds: 60 });
    await rechecked();
    expect(await stateOf(grantId)).toMatchObject({ state: 'ACTIVE' });
    // Hours in which it would never have been approved do end it.
    await update(rule, hours(3, 4));
    await removed(grantId);
  });
});

describe('by hand and by the technician', () => {
  const extend = (id: Id) =>
    world.mutate(anna.actor, 'extendGrant', '... on Grant { __typename id }', { id: newId(), grantId: id, seconds: 600 });

  test('a session is extended only where the rules still allow it, at this hour', async () => {
    const at = (offset: number) => new Date(service.clock.now().getTime() + offset * 3_600_000).toISOString().slice(11, 13);
    const hours = [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: `${at(-1)}:00`, to: `${at(1)}:00` }];
    await world.rule(customer, { name: 'Till then', deviceTags: ['till-then'], hours, timeZone: 'UTC' });
    const there = await tagged('till-then');
    const login = await world.start(there);
    const approved = await world.approve(anna, login, { sessionSeconds: 7200 }, { durationSeconds: 7200 });
    const { id } = approved['grant'] as { id: Id };
    await world.report(there, [{ grantId: id, state: 'ACTIVE' }]);
    expect(await extend(id)).toMatchObject({ __typename: 'Grant' });
    service.clock.advance(7100);
    expect(await extend(id)).toMatchObject({ __typename: 'AccessDenied', message: expect.stringContaining('at certain hours') });
  });

  test('ending everything of a technician cancels what they wait for', async () => {
    const vault = await world.tenant(msp, 'Vault');
    const there = await world.computer(vault);
    await service.settled();
    await world.rule(vault, { name: 'Vault', approvals: 1 });
    const login = await world.start(there);
    expect(await world.approve(bert, login)).toMatchObject({ state: 'AWAITING_APPROVAL' });
    const input = { technicianId: bert.actor.id, reason: 'Phone stolen.' };
    await world.mutate(administrator(), 'endAllOfTechnician', '... on EndedAll { __typename }', input);
    expect(await world.login(there.actor, login.id)).toMatchObject({ state: 'FAILED', failure: 'Phone stolen.' });
    expect(await world.accessRequest(anna, await world.requestOf(anna, login))).toMatchObject({ state: 'CANCELLED' });
  });
});

describe('many', () => {
  test('are looked at in batches, each in a transaction of its own, and approvals go on meanwhile', async () => {
    const large = await world.tenant(msp, 'Large');
    const there = await world.computer(large);
    await service.settled();
    const technician = anna.actor.id;
    const ids = () => Array.from({ length: 200 }, () => oldId());
    await service.rows(
      `with made as (
         insert into device (msp_id, tenant_id, id, kind, host_name, active, version)
         select $1, $2, id, 'WORKSTATION', 'ws', true, 1 from unnest($5::uuid[]) as id)
       insert into jit_grant (msp_id, tenant_id, id, login_request_id, device_id, technician_id, account_id, account_name, state, session_seconds,
         approved_at, activate_by, active_at, expires_at)
       select $1, $2, g.id, g.id, d.id, $3, g.id, 'jit-anna', 'ACTIVE', 3600, $4, $4, $4, $4::timestamptz + interval '1 hour'
       from unnest($5::uuid[]) with ordinality as d (id, n) join unnest($6::uuid[]) with ordinality as g (id, n) using (n)`,
      [msp.mspId, large.tenantId, technician, service.clock.now(), ids(), ids()],
    );
    const rule = await world.rule(large, { name: 'Nobody', effect: 'DENY' });
    expect(await world.approve(anna, await world.start(there))).toMatchObject({ __typename: 'AccessDenied' });
    const ended = () =>
      service.rows<{ state: string; count: number; transactions: number }>(
        `select state, count(*)::int as count, count(distinct xmin::text)::int as transactions from jit_grant where tenant_id = $1 group by state`,
        [large.tenantId],
      );
    await eventually(async () => expect(await ended()).toMatchObject([{ state: 'ENDING', count: 200 }]));
    expect((await ended())[0]?.transactions).toBeGreaterThanOrEqual(8);
    await remove(rule);
  });

  test('an approval and a rule that forbids it at once: nothing stays live', async () => {
    for (let round = 0; round < 8; round += 1) {
      const there = await world.computer(customer);
      await service.settled();
      const logins = await Promise.all([world.start(there)]);
      const [answer, rule] = await Promise.all([
        world.approve(anna, logins[0] as never),
        world.rule(customer, { name: 'Nobody', groups: [seniors], effect: 'DENY' }),
      ]);
      await rechecked();
      if (answer.__typename === 'LoginRequest')
        expect(await stateOf((answer['grant'] as { id: Id }).id)).toMatchObject({ state: 'ENDING' });
      else expect(answer).toMatchObject({ __typename: 'AccessDenied' });
      await remove(rule);
      await rechecked();
    }
  });
});
