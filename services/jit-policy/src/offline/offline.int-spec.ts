import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor, Payload } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import type { Tenancy, Tx } from '@stint/tenancy';
import { eventually } from '@stint/testing';
import { AccessService } from '../access/access.service.ts';
import { AccessRuleRepository } from '../access-rule/access-rule.repository.ts';
import { AccountRepository } from '../device-state/account.repository.ts';
import { AccountService } from '../device-state/account.service.ts';
import { DeviceStateSweep } from '../device-state/device-state.sweep.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { codeOf, technicianActor, World, type Computer, type Technician, type Thing } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';
import { OfflineAccessService } from './offline-access.service.ts';
import { OfflineRefreshRepository } from './offline-refresh.repository.ts';
import { OfflineRefreshSweep } from './offline-refresh.sweep.ts';
import { OfflineRepository } from './offline.repository.ts';

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

interface Prepared {
  technicianId: Id;
  accountId: Id;
  accountName: string;
  [field: string]: unknown;
}
const offlineQuery = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Device { offlineAccess {
  deviceId technicianId email displayName accountId accountName sessionSeconds idleEndSeconds requireReason requireTicket validUntil } } } }`;
const sendPrepared = (actor: Actor, deviceId: Id) => service.send(actor, offlineQuery, { refs: [{ __typename: 'Device', id: deviceId }] });
async function prepared(at = computer): Promise<Prepared[]> {
  const answer = await sendPrepared(at.actor, at.actor.id);
  const [device] = (answer.data?.['_entities'] ?? []) as { offlineAccess: Prepared[] }[];
  if (device?.offlineAccess == null) throw new Error(JSON.stringify(answer));
  return device.offlineAccess;
}
const report = (logins: object[], at = computer, locks: object[] = []): Promise<Thing> =>
  world.mutate(at.actor, 'reportOfflineLogins', '... on ReportsTaken { __typename revision }', { logins, locks });
async function login(by = anna, change: object = {}): Promise<Record<'id' | 'grantId' | 'technicianId' | 'accountId', Id>> {
  const mine = (await prepared()).find(({ technicianId }) => technicianId === by.actor.id);
  if (mine === undefined) throw new Error('Not prepared.');
  const { technicianId, accountId } = mine;
  return { ...{ id: newId(), grantId: newId(), technicianId, accountId }, ...{ secondsAgo: 600, sessionSeconds: 3600 }, ...change };
}
const settings = (change: object) =>
  world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
    tenantId: customer.tenantId,
    ...change,
  });
const tell = async (change: Partial<Payload<'technician-changed'>>) => {
  await service.tell('technician-changed', { ...anna.told, version: 2, ...change });
  await service.settled();
};

describe('who may log in offline', () => {
  test('whoever may log in here now, with what an online login would get', async () => {
    await settings({ sessionSeconds: 1800, idleEndSeconds: 300 });
    await world.rule(customer, { requireReason: true, maxSeconds: 900 });
    const before = service.clock.now();
    expect(await prepared()).toEqual([
      {
        ...{ deviceId: computer.actor.id, technicianId: anna.actor.id, email: 'anna.berg@example.com', displayName: 'Anna Berg' },
        ...{ accountId: expect.any(String), accountName: 'jit-annaberg', sessionSeconds: 900, idleEndSeconds: 300 },
        ...{ requireReason: true, requireTicket: false },
        validUntil: new Date(before.getTime() + 14 * day * 1000).toISOString(),
      },
    ]);
  });

  test('nobody without TOTP, switched off, without a role for logins here, or denied by a rule', async () => {
    await world.technician(msp, 'TECHNICIAN', { email: 'no-totp@example.com', totpEnrolled: false });
    await world.technician(msp, 'TECHNICIAN', { email: 'off@example.com', active: false });
    await world.technician(msp, 'AUDITOR', { email: 'auditor@example.com' });
    await world.technician(await world.tenant(msp, 'Elsewhere'), 'TECHNICIAN', { email: 'elsewhere@example.com' });
    const here = await world.technician(customer, 'TECHNICIAN', { email: 'here@example.com' });
    await service.settled();
    expect((await prepared()).map(({ email }) => email)).toEqual(['anna.berg@example.com', here.told.email]);
    await world.rule(customer, { effect: 'DENY' });
    expect(await prepared()).toEqual([]);
  });

  test('nobody whose rule demands the approval of other people', async () => {
    await world.rule(customer, { approvals: 1 });
    expect(await prepared()).toEqual([]);
  });

  test('the device itself alone is told', async () => {
    const other = await world.computer(customer, { hostName: 'ws-08' });
    await service.settled();
    for (const actor of [other.actor, technicianActor(msp, 'ADMINISTRATOR')]) {
      const answer = await sendPrepared(actor, computer.actor.id);
      expect(JSON.stringify(answer.data)).not.toContain(anna.actor.id);
      expect(codeOf(answer)).toBeDefined();
    }
  });

  test('at most 200, who used the computer last first; the number of queries does not grow with them', async () => {
    const { service: counted, queries } = counting();
    await counted.of(computer.actor, computer.actor.id);
    const first = queries.splice(0).length;
    await counted.of(computer.actor, computer.actor.id);
    const again = queries.splice(0).length;
    await world.active(anna, computer);
    const crowd = Array.from({ length: 230 }, (_, at) => ({
      ...anna.told,
      technicianId: oldId(),
      email: `a${at}@example.com`,
    }));
    await service.tell('technician-changed', ...crowd);
    await service.settled();
    const chosen = await counted.of(computer.actor, computer.actor.id);
    // One more: who used the computer last.
    expect(queries.splice(0).length).toBe(first + 1);
    expect([chosen.length, chosen[0]?.technicianId]).toEqual([200, anna.actor.id]);
    expect(new Set(chosen.map(({ accountName }) => accountName)).size).toBe(200);
    await counted.of(computer.actor, computer.actor.id);
    expect(queries.length).toBe(again + 1);
    expect(again).toBeLessThan(first);
  });
});

describe('a computer is told that its list may have changed', () => {
  const revision = async (at = computer) => (await world.desired(at)).offlineRevision;
  const refreshed = () => eventually(async () => expect(await service.rows('select id from offline_refresh')).toEqual([]));
  const told = async (change: () => Promise<unknown>, at = computer) => {
    await refreshed();
    const before = await revision(at);
    service.nudges.length = 0;
    await change();
    await refreshed();
    if ((await revision(at)) === before) return false;
    await eventually(() => expect(service.nudges).toContain(at.actor.id));
    return true;
  };

  test.each<[string, () => Promise<unknown>]>([
    ['a technician gains or loses a group', () => tell({ groupIds: [oldId()] })],
    ['a technician loses the role', () => tell({ assignments: [] })],
    ['a technician has a new TOTP', () => tell({})],
    ['a technician is switched off', () => tell({ active: false })],
    ['a rule is made above', () => world.rule(msp, { groups: [], requireReason: true })],
    [
      'its tags change',
      () => service.tell('device-changed', { ...computer.told, tags: ['till'], version: 2 }).then(() => service.settled()),
    ],
  ])('when %s', async (_name, change) => expect(await told(change)).toBe(true));

  test('not of another tenant, nor of somebody without TOTP', async () => {
    const elsewhere = await world.computer(await world.tenant(msp, 'Elsewhere'));
    const bo = await world.technician(customer, 'TECHNICIAN', { email: 'bo@example.com', totpEnrolled: false });
    await service.settled();
    expect(await told(() => world.rule(customer, { requireReason: true }), elsewhere)).toBe(false);
    const change = async () => {
      await service.tell('technician-changed', { ...bo.told, version: 2, active: false });
      await service.settled();
    };
    expect(await told(change)).toBe(false);
  });

  test('a batch at a time, each once, however many there are; changes that follow each other keep nobody waiting', async () => {
    await refreshed();
    const place = await world.tenant(msp, 'Wide World');
    await service.settled();
    await service.rows(
      `insert into device (msp_id, tenant_id, id, kind, host_name, active, version, domain, tags, hpke_key)
       select $1, $2, gen_random_uuid(), 'WORKSTATION', 'ws', true, 1, null, '{}', '' from generate_series(1, 120)`,
      [msp.mspId, place.tenantId],
    );
    const nudged: string[] = [];
    const refreshes = new OfflineRefreshRepository();
    const one = new OfflineRefreshSweep(refreshes, (id) => nudged.push(id));
    const counts = () =>
      service.rows('select offline_revision as told, count(*)::int as devices from device where tenant_id = $1 group by 1 order by 1', [
        place.tenantId,
      ]);
    // Worked off here, and by the service's own sweep for as long as nobody holds the mark: so by hand, in transactions of our own.
    await service.system.asSystem(async (tx) => {
      await refreshes.ask(tx, msp.mspId, [place.tenantId]);
      await one.run(tx);
      await refreshes.ask(tx, msp.mspId, [place.tenantId]);
      for (let batch = 1; batch < 5; batch += 1) await one.run(tx);
    });
    expect(await counts()).toEqual([{ told: 1, devices: 120 }]);
    expect(new Set(nudged).size).toBe(120);
    await refreshed();
    expect(await counts()).toEqual([{ told: 2, devices: 120 }]);
  });
});

describe('an account that is chosen ahead', () => {
  test('stays the same, is no part of the desired state, and is the one of an online login later', async () => {
    const [first] = await prepared();
    expect(await prepared()).toMatchObject([{ accountId: first?.accountId, accountName: first?.accountName }]);
    expect((await world.desired(computer)).accounts).toEqual([]);
    await world.active(anna, computer);
    expect((await world.desired(computer)).accounts).toMatchObject([{ id: first?.accountId, name: first?.accountName, state: 'ENABLED' }]);
  });

  test('does not rest before it was used', async () => {
    const [first] = await prepared();
    service.clock.advance(300 * day);
    await sweep();
    expect(await prepared()).toMatchObject([{ accountId: first?.accountId }]);
    expect((await world.desired(computer)).accounts).toEqual([]);
  });

  test('and was never used is given up when its technician may not any more; a login on it that is told later counts, and who may again gets it again', async () => {
    const [first] = await prepared();
    const late = await login();
    const rows = () =>
      service.rows('select id, removed_at is not null as gone from jit_account where device_id = $1 order by id', [computer.actor.id]);
    await tell({ totpEnrolled: false });
    expect(await prepared()).toEqual([]);
    expect(await rows()).toEqual([{ id: first?.accountId, gone: true }]);
    await tell({ totpEnrolled: true, version: 3 });
    expect(await prepared()).toMatchObject([{ accountId: first?.accountId, accountName: first?.accountName }]);
    await tell({ totpEnrolled: false, version: 4 });
    expect(await prepared()).toEqual([]);
    expect(await report([late])).toMatchObject({ __typename: 'ReportsTaken' });
    expect(await rows()).toEqual([{ id: first?.accountId, gone: false }]);
    const bo = await world.technician(msp, 'TECHNICIAN', { email: 'bo@example.com' });
    await service.settled();
    expect(await prepared()).toMatchObject([{ technicianId: bo.actor.id }]);
    await service.tell('technician-changed', { ...bo.told, version: 2, active: false });
    await service.settled();
    expect(await prepared()).toEqual([]);
    service.clock.advance(31 * day);
    await sweep();
    expect(await rows()).toEqual([{ id: first?.accountId, gone: false }]);
  });

  test('is the one that all share, in the shared mode', async () => {
    await settings({ technicianLoginMode: 'SHARED' });
    const bo = await world.technician(msp, 'TECHNICIAN', { email: 'bo@example.com' });
    await service.settled();
    const [one, two] = await prepared();
    expect([one?.accountId, one?.accountName]).toEqual([two?.accountId, 'jit-shared']);
    const report1 = await login(bo);
    expect(await report([report1])).toMatchObject({ __typename: 'ReportsTaken' });
    expect(await world.grant(anna, report1.grantId)).toMatchObject({ accountName: 'jit-shared', technician: { id: bo.actor.id } });
  });
});

describe('a login that the computer decided by itself', () => {
  test('becomes a login and a grant as the computer saw them; told twice it counts once, and its end is reported as any', async () => {
    const one = await login(anna, { reason: 'printer\nis down', ticket: 'T-17' });
    const taken = await report([one]);
    expect(taken).toMatchObject({ __typename: 'ReportsTaken', revision: 1 });
    const now = service.clock.now().getTime();
    expect(await world.grant(anna, one.grantId)).toMatchObject({
      ...{ state: 'ACTIVE', reason: 'printer is down', ticket: 'T-17', accountName: 'jit-annaberg' },
      ...{ activeAt: new Date(now - 600_000).toISOString(), expiresAt: new Date(now + 3_000_000).toISOString() },
    });
    expect(await world.login(anna.actor, one.id)).toMatchObject({ method: 'OFFLINE', state: 'ACTIVE' });
    const event = await service.audited('login.offline', one.id);
    expect(event).toMatchObject({
      ...{ actorKind: 'device', actorId: computer.actor.id, tenantId: customer.tenantId },
      details: {
        technicianId: anna.actor.id,
        grantId: one.grantId,
        reason: 'printer is down',
        beganAt: new Date(now - 600_000).toISOString(),
      },
    });
    expect((await world.desired(computer)).accounts).toMatchObject([
      { id: one.accountId, state: 'ENABLED', grants: [{ grantId: one.grantId }] },
    ]);
    expect(await report([one])).toEqual(taken);
    await world.report(computer, [{ grantId: one.grantId, accountId: one.accountId, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
    expect(await world.grant(anna, one.grantId)).toMatchObject({ state: 'ENDED', endReason: 'LOGGED_OFF' });
    await service.audited('grant.ended', one.grantId);
    expect(service.audits.filter(({ action, subjectId }) => action === 'login.offline' && subjectId === one.id)).toHaveLength(1);
    expect(service.audits.some(({ action, subjectId }) => action === 'login.offline-refused' && subjectId === one.id)).toBe(false);
  });

  test('told after its end, it ends as the computer says', async () => {
    const one = await login(anna, { secondsAgo: 2 * day, sessionSeconds: 900 });
    await report([one]);
    await world.report(computer, [
      { grantId: one.grantId, accountId: one.accountId, state: 'DISABLED', endReason: 'EXPIRED', secondsAgo: day },
    ]);
    expect(await world.grant(anna, one.grantId)).toMatchObject({ state: 'ENDED', endReason: 'EXPIRED' });
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a technician who was switched off meanwhile', () => tell({ active: false })],
    ['one who has no TOTP any more', () => tell({ totpEnrolled: false })],
    ['one who lost the role', () => tell({ assignments: [] })],
    ['a rule that demands approvals now', () => world.rule(customer, { approvals: 1 })],
    ['a rule that denies now', () => world.rule(customer, { effect: 'DENY' })],
  ])('of %s ends at once, with an alarm', async (_name, change) => {
    const one = await login();
    await change();
    expect(await report([one])).toMatchObject({ __typename: 'ReportsTaken' });
    const reader = technicianActor(msp, 'ADMINISTRATOR');
    expect(await world.login(reader, one.id)).toMatchObject({ grant: { state: 'ENDING', endReason: 'ACCESS_REMOVED' } });
    expect((await world.desired(computer)).accounts).toMatchObject([{ id: one.accountId, state: 'DISABLED' }]);
    expect((await service.audited('login.offline-refused', one.id)).details).toMatchObject({
      technicianId: anna.actor.id,
      failure: expect.any(String),
    });
  });

  test('of somebody from elsewhere who lost the role here is told all the same', async () => {
    const elsewhere = await world.tenant(msp, 'Elsewhere');
    const role = { tenantId: customer.tenantId, role: 'TECHNICIAN' as const };
    const bo = await world.technician(elsewhere, 'TECHNICIAN', { email: 'bo@example.com', assignments: [role] });
    await service.settled();
    const one = await login(bo);
    await service.tell('technician-changed', { ...bo.told, version: 2, assignments: [] });
    await service.settled();
    expect(await report([one])).toMatchObject({ __typename: 'ReportsTaken' });
    expect((await service.audited('login.offline-refused', one.id)).details).toMatchObject({ technicianId: bo.actor.id });
  });

  test('on an account that was replaced ends, and is seen to end', async () => {
    const one = await login(anna, { secondsAgo: 60 });
    await service.rows('update jit_account set removed_at = now(), absent_since = now() where id = $1', [one.accountId]);
    const next = (await login()).accountId;
    expect(next).not.toBe(one.accountId);
    await report([one]);
    expect(await world.grant(anna, one.grantId)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
    // As an agent does: again, when more was wanted of it meanwhile.
    await eventually(async () => {
      await world.report(computer, [{ accountId: one.accountId, grantId: one.grantId, state: 'DISABLED' }]);
      expect(await world.grant(anna, one.grantId)).toMatchObject({ state: 'ENDED' });
    });
    expect((await prepared())[0]?.accountId).toBe(next);
  });

  test('that is longer than the rule allows is cut, with an alarm', async () => {
    await world.rule(customer, { maxSeconds: 900 });
    const one = await login(anna, { secondsAgo: 60, sessionSeconds: 28_800 });
    await report([one]);
    expect(await world.grant(anna, one.grantId)).toMatchObject({
      state: 'ACTIVE',
      expiresAt: new Date(service.clock.now().getTime() + 840_000).toISOString(),
    });
    expect((await service.audited('login.offline-refused', one.id)).details).toMatchObject({ cutFrom: 28_800, sessionSeconds: 900 });
  });

  test('without what the rule demands is taken, with an alarm', async () => {
    await world.rule(customer, { requireReason: true, requireTicket: true });
    const one = await login(anna, { reason: ' \u200b', ticket: 'T-1' });
    await report([one]);
    expect(await world.grant(anna, one.grantId)).toMatchObject({ state: 'ACTIVE' });
    expect((await service.audited('login.offline-refused', one.id)).details).toMatchObject({
      failure: 'The access rule demands a reason; none was given.',
    });
  });

  test('cannot be started', async () => {
    const input = { id: newId(), method: 'OFFLINE' };
    expect(await world.mutate(computer.actor, 'startLogin', '... on StartedLogin { __typename }', input)).toMatchObject({
      __typename: 'InvalidInput',
      field: 'method',
    });
  });
});

describe('a report is refused as a whole', () => {
  test.each<[string, (right: Record<string, unknown>, other: Computer) => Promise<object> | object]>([
    ['an account of another device', async (right, other) => ({ ...right, accountId: (await prepared(other))[0]?.accountId })],
    ['an unknown account', (right) => ({ ...right, accountId: newId() })],
    ['an unknown technician', (right) => ({ ...right, technicianId: newId() })],
    ['a technician whose account it is not', async (right) => ({ ...right, technicianId: (await colleague()).actor.id })],
    ['an id that is none', (right) => ({ ...right, id: 'nonsense' })],
    ['a time ahead', (right) => ({ ...right, secondsAgo: -1 })],
    ['no time at all', (right) => ({ ...right, sessionSeconds: 0 })],
  ])('for %s', async (_name, wrong) => {
    const other = await world.computer(customer, { hostName: 'ws-08' });
    await service.settled();
    const right = await login();
    const bad = await wrong({ ...right, id: newId(), grantId: newId() }, other);
    expect(await report([right, bad])).toMatchObject({ __typename: 'InvalidInput' });
    expect(await service.rows('select 1 from jit_grant where id = $1', [right.grantId])).toEqual([]);
    expect(await report([right])).toMatchObject({ __typename: 'ReportsTaken' });
  });

  test('for ids that another login or grant has, or more than 100', async () => {
    const [one, two] = [await login(), await login()];
    await report([one]);
    expect(await report([{ ...two, id: one.id }])).toMatchObject({ field: 'logins.0.id' });
    expect(await report([{ ...two, grantId: one.grantId }])).toMatchObject({ field: 'logins.0.grantId' });
    expect(await report([two, two])).toMatchObject({ field: 'logins' });
    expect(await report(Array.from({ length: 101 }, () => two))).toMatchObject({ field: 'logins' });
  });
});

test('wrong codes that locked somebody out go into the audit log, each lock once; who has nothing to do with the computer is not named', async () => {
  const technicianId = anna.actor.id;
  const locks = [
    { id: newId(), technicianId, failures: 7, secondsAgo: 60 },
    { id: newId(), failures: 20, secondsAgo: 0 },
    { id: newId(), technicianId: newId(), failures: 9, secondsAgo: 0 },
  ];
  for (const some of [locks.slice(0, 1), locks, locks])
    expect(await report([], computer, some)).toMatchObject({ __typename: 'ReportsTaken' });
  const after = { id: newId(), failures: 5, secondsAgo: 0 };
  expect(await report([], computer, [after])).toMatchObject({ __typename: 'ReportsTaken' });
  const told = () =>
    service.audits
      .filter(({ action, subjectId }) => action === 'totp.offline-locked' && subjectId === computer.actor.id)
      .map(({ details }) => [details['technicianId'], details['failures']])
      .toSorted(([, a], [, b]) => Number(a) - Number(b));
  const all = [
    [null, 5],
    [technicianId, 7],
    [null, 9],
    [null, 20],
  ];
  await eventually(() => expect(told()).toEqual(all));
  for (const bad of [
    { ...after, id: 'nonsense' },
    { ...after, failures: 0 },
    { ...after, technicianId: 'nobody' },
  ])
    expect(await report([], computer, [bad])).toMatchObject({ __typename: 'InvalidInput' });
});

async function colleague(): Promise<Technician> {
  const bo = await world.technician(msp, 'TECHNICIAN', { email: 'bo@example.com' });
  await service.settled();
  return bo;
}

/** The sweep that the service runs once a minute, now. */
async function sweep(): Promise<void> {
  const [accounts, copies] = [new AccountRepository(), new DirectoryRepository()];
  const one = new DeviceStateSweep(accounts, copies, new DeviceWorkService(copies, new GrantRepository(), accounts, () => undefined));
  while ((await service.system.asSystem((tx) => one.run(tx, service.clock.now()))) > 0);
}

/** The service on the same database, with a list of what it asks. */
function counting(): { service: OfflineAccessService; queries: string[] } {
  const queries: string[] = [];
  const listening = <T extends Tx>(tx: T): T =>
    new Proxy(tx, {
      get: (target, name) =>
        name === 'query'
          ? (sql: string, values?: unknown[]) => {
              queries.push(sql);
              return target.query(sql, values);
            }
          : (Reflect.get(target, name) as unknown),
    });
  const tenancy = {
    readTenants: (actor, work) => service.system.readTenants(actor, (tx) => work(listening(tx))),
    inTenant: (actor, tenantId, work) => service.system.inTenant(actor, tenantId, (tx) => work(listening(tx))),
    asSystem: (work) => service.system.asSystem((tx) => work(listening(tx))),
  } as Pick<Tenancy, 'readTenants' | 'inTenant' | 'asSystem'> as Tenancy;
  const [copies, accounts] = [new DirectoryRepository(), new AccountRepository()];
  return {
    queries,
    service: new OfflineAccessService(
      tenancy,
      new DirectoryService(tenancy, copies, service.clock),
      new SettingsRepository(),
      new AccessService(copies, new AccessRuleRepository()),
      accounts,
      new AccountService(accounts),
      new OfflineRepository(),
      service.clock,
    ),
  };
}
