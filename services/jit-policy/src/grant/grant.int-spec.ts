import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { grantFields, technicianActor, World, type Computer, type Technician, type Thing } from '../testing/world.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
});
beforeEach(async () => {
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const inSeconds = (seconds: number) => new Date(service.clock.now().getTime() + seconds * 1000).toISOString();
const end = (id: Id, by: Technician = anna) => world.mutate(by.actor, 'endGrant', `... on Grant { ${grantFields} }`, { id });
const setting = (change: object) =>
  world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
    tenantId: customer.tenantId,
    ...change,
  });
const account = async (): Promise<Record<string, unknown>> => (await world.desired(computer)).accounts?.[0] ?? {};
const becomes = (id: Id, expected: object): Promise<Thing> =>
  eventually(async () => {
    const grant = await world.grant(anna, id);
    expect(grant).toMatchObject(expected);
    return grant;
  });

describe('the life of a grant', () => {
  test('approved, active, expired, seen disabled', async () => {
    const id = await world.granted(anna, computer);
    const enabled = {
      name: 'jit-annaberg',
      displayName: 'Anna Berg',
      state: 'ENABLED',
      grants: [{ grantId: id, sessionSeconds: 3600, activateBy: inSeconds(120), expiresAt: null, idleEndSeconds: 600, warnSeconds: 300 }],
      passwordLength: 24,
      removeNewPrivileged: false,
    };
    expect(await account()).toMatchObject(enabled);

    service.clock.advance(10);
    const approvedAt = inSeconds(-10);
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 4 }]);
    const expiresAt = inSeconds(3596);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ACTIVE', approvedAt, activeAt: inSeconds(-4), expiresAt, endReason: null });
    expect(await account()).toMatchObject({ state: 'ENABLED', grants: [{ grantId: id, expiresAt }] });
    expect(await service.audited('grant.activated', id)).toMatchObject({
      actorKind: 'device',
      actorId: computer.actor.id,
      details: { expiresAt, accountName: 'jit-annaberg' },
    });

    service.clock.advance(3595.999);
    expect(await account()).toMatchObject({ state: 'ENABLED' });
    service.clock.advance(0.001);
    expect(await account()).toMatchObject({ state: 'DISABLED', grants: [] });
    await becomes(id, { state: 'ENDING', endReason: 'EXPIRED', endedAt: null });
    expect(await service.audited('grant.end-requested', id)).toMatchObject({ actorKind: 'system', details: { endReason: 'EXPIRED' } });

    await world.report(computer, [{ grantId: id, state: 'DISABLED', secondsAgo: 1 }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'EXPIRED', endedAt: inSeconds(-1) });
    expect(await service.audited('grant.ended', id)).toMatchObject({ details: { endReason: 'EXPIRED', from: 'ENDING' } });
  });

  test('not made in time', async () => {
    const id = await world.granted(anna, computer);
    service.clock.advance(120);
    await becomes(id, { state: 'ENDING', endReason: 'NOT_ACTIVATED' });
    expect(await account()).toMatchObject({ state: 'DISABLED' });
    // The account was made all the same, too late: that changes nothing.
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 60 }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDING', activeAt: null, expiresAt: null });
    await world.report(computer, [{ grantId: id, state: 'DISABLED' }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'NOT_ACTIVATED' });
  });

  test('could not be made', async () => {
    const id = await world.granted(anna, computer);
    await world.report(computer, [{ grantId: id, state: 'FAILED', detail: 'useradd:\nno space left' }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'FAILED', failure: 'useradd: no space left' });
    expect(await account()).toMatchObject({ state: 'DISABLED' });
    expect(await service.audited('grant.failed', id)).toMatchObject({ details: { failure: 'useradd: no space left' } });
  });

  test('failed on the computer after it was given up here: that is an end, too', async () => {
    const id = await world.granted(anna, computer);
    service.clock.advance(120);
    await becomes(id, { state: 'ENDING' });
    await world.report(computer, [{ grantId: id, state: 'FAILED', detail: 'useradd: exit 1' }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'NOT_ACTIVATED' });
  });

  test.each(['EXPIRED', 'LOGGED_OFF'])('the agent ends it by itself: %s', async (endReason) => {
    const id = await world.active(anna, computer);
    await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason, secondsAgo: 0 }], 0);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason });
    expect(await account()).toMatchObject({ state: 'DISABLED' });
  });

  test('ended by a technician, twice; by a device never', async () => {
    const id = await world.active(anna, computer);
    expect(await end(id)).toMatchObject({ __typename: 'Grant', state: 'ENDING', endReason: 'REVOKED' });
    expect(await end(id)).toMatchObject({ state: 'ENDING' });
    await world.report(computer, [{ grantId: id, state: 'DISABLED' }]);
    expect(await end(id)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
    expect(service.audits.filter((event) => event.action === 'grant.end-requested' && event.subjectId === id)).toHaveLength(1);
    await expect(end(id, { ...anna, actor: computer.actor })).rejects.toThrow('FORBIDDEN');
    expect(await service.audited('grant.end-requested', id)).toMatchObject({ actorKind: 'technician', actorId: anna.actor.id });
  });

  test('an end that nobody reports is tried again, called stuck after 5 minutes, and tried for ever', async () => {
    const id = await world.active(anna, computer);
    await end(id);
    const { revision } = await world.desired(computer);
    service.nudges.length = 0;
    service.clock.advance(30);
    await eventually(async () => expect((await world.desired(computer, revision)).accounts).not.toBeNull());
    await eventually(() => expect(service.nudges).toContain(computer.actor.id));
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDING' });
    service.clock.advance(270);
    await becomes(id, { state: 'END_STUCK' });
    expect(await service.audited('grant.end-stuck', id)).toMatchObject({ actorKind: 'system', tenantId: customer.tenantId });
    for (let day = 0; day < 2; day += 1) {
      const before = (await world.desired(computer)).revision;
      service.clock.advance(86_400);
      await eventually(async () => expect((await world.desired(computer)).revision).toBeGreaterThan(before));
      expect(await world.grant(anna, id)).toMatchObject({ state: 'END_STUCK' });
    }
    await world.report(computer, [{ grantId: id, state: 'DISABLED' }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
  });
});

describe('late, repeated and reordered reports', () => {
  test('the same report 20 times at once is one', async () => {
    const id = await world.granted(anna, computer);
    const desired = await world.desired(computer);
    const report = { accountId: desired.accounts?.[0]?.['id'], grantId: id, state: 'ACTIVE', secondsAgo: 0 };
    const send = () =>
      world.mutate(computer.actor, 'reportAccounts', '... on ReportsTaken { __typename revision }', {
        revision: desired.revision,
        reports: [report],
      });
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    expect(answers.every((answer) => answer.__typename === 'ReportsTaken')).toBe(true);
    expect((await world.desired(computer)).revision).toBe(desired.revision + 1);
    await service.audited('grant.activated', id);
    await service.settled();
    expect(service.audits.filter((event) => event.action === 'grant.activated' && event.subjectId === id)).toHaveLength(1);
  });

  test('a report of what was before the end proves no end', async () => {
    const id = await world.granted(anna, computer);
    const before = (await world.desired(computer)).revision;
    await world.report(computer, [{ grantId: id, state: 'ACTIVE' }]);
    await end(id);
    await world.report(computer, [{ grantId: id, state: 'DISABLED' }], before);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDING' });
    await world.report(computer, [{ grantId: id, state: 'DISABLED' }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED' });
  });

  test('the end before the beginning: it stays ended', async () => {
    const id = await world.granted(anna, computer);
    await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 3 }]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'LOGGED_OFF' });
    expect(await account()).toMatchObject({ state: 'DISABLED' });
  });

  test('a report that arrives a day late lengthens nothing', async () => {
    const id = await world.granted(anna, computer);
    const approvedAt = service.clock.now();
    service.clock.advance(100);
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 1_000_000 }]);
    expect(await world.grant(anna, id)).toMatchObject({
      state: 'ACTIVE',
      activeAt: approvedAt.toISOString(),
      expiresAt: new Date(approvedAt.getTime() + 3_600_000).toISOString(),
    });
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', secondsAgo: 0 }]);
    expect(await world.grant(anna, id)).toMatchObject({ expiresAt: new Date(approvedAt.getTime() + 3_600_000).toISOString() });
  });

  test('a whole session in one batch', async () => {
    const id = await world.granted(anna, computer);
    await world.report(computer, [
      { grantId: id, state: 'ACTIVE', secondsAgo: 0 },
      { grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF', secondsAgo: 0 },
    ]);
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'LOGGED_OFF', activeAt: inSeconds(0) });
  });

  test.each<[string, (grantId: Id, accountId: unknown) => object, string]>([
    ['a foreign account', (grantId) => ({ accountId: newId(), grantId }), 'reports.1.accountId'],
    ['a foreign grant', () => ({ grantId: newId() }), 'reports.1.grantId'],
    ['nonsense for a grant', () => ({ grantId: "' or true --" }), 'reports.1.grantId'],
    ['negative time', () => ({ secondsAgo: -1 }), 'reports.1.secondsAgo'],
    ['a name with a newline', () => ({ name: 'root\n' }), 'reports.1.name'],
  ])('%s refuses the whole call', async (_, bad, field) => {
    const id = await world.granted(anna, computer);
    const { revision } = await world.desired(computer);
    const good = { grantId: id, state: 'ACTIVE' };
    expect(await world.report(computer, [good, { ...good, ...bad(id, null) }])).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await world.grant(anna, id)).toMatchObject({ state: 'APPROVED' });
    expect((await world.desired(computer)).revision).toBe(revision);
  });

  test('another computer of the same customer cannot report on it', async () => {
    const id = await world.granted(anna, computer);
    const accountId = (await account())['id'];
    const other = await world.computer(customer);
    await service.settled();
    expect(await world.report(other, [{ accountId, grantId: id, state: 'ACTIVE' }])).toMatchObject({
      __typename: 'InvalidInput',
      field: 'reports.0.accountId',
    });
    expect(
      await world.report(
        other,
        Array.from({ length: 101 }, () => ({ accountId, state: 'ACTIVE' })),
      ),
    ).toMatchObject({ __typename: 'InvalidInput', field: 'reports' });
  });
});

describe('the desired state', () => {
  test('unchanged is said so; every change gives a new revision', async () => {
    const first = await world.desired(computer);
    expect(first).toMatchObject({ accounts: [], checkInSeconds: 60 });
    expect(await world.desired(computer, first.revision)).toMatchObject({ revision: first.revision, accounts: null, checkInSeconds: 60 });
    const id = await world.granted(anna, computer);
    const second = await world.desired(computer, first.revision);
    expect(second).toMatchObject({ revision: first.revision + 1, accounts: [{ grants: [{ grantId: id }] }], checkInSeconds: 30 });
    expect(await world.desired(computer, second.revision)).toMatchObject({ accounts: null, checkInSeconds: 30 });
    // An agent whose server was restored from a backup knows more than the server: it gets the whole.
    expect(await world.desired(computer, second.revision + 5)).toMatchObject({ accounts: [{ grants: [{ grantId: id }] }] });
  });

  test('the real name is kept, for the grant and for next time', async () => {
    const id = await world.granted(anna, computer);
    await world.report(computer, [{ grantId: id, state: 'ACTIVE', name: 'jit-annaberg-2' }]);
    expect(await account()).toMatchObject({ name: 'jit-annaberg-2' });
    expect(await world.grant(anna, id)).toMatchObject({ accountName: 'jit-annaberg-2' });
    await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF', name: 'jit-annaberg-2' }]);
    const again = await world.granted(anna, computer);
    expect(await account()).toMatchObject({ name: 'jit-annaberg-2', grants: [{ grantId: again }] });
    expect((await world.desired(computer)).accounts).toHaveLength(1);
  });

  test('two technicians with the same name have two accounts', async () => {
    const twin = await world.technician(msp, 'TECHNICIAN', { email: 'annaberg@other.example', displayName: 'Other Anna' });
    await service.settled();
    await world.granted(anna, computer);
    await world.granted(twin, computer);
    const names = (await world.desired(computer)).accounts?.map((one) => one['name']);
    expect(names).toEqual(['jit-annaberg', expect.stringMatching(/^jit-annaberg-[0-9a-f]{4}$/)]);
  });
});

describe.each(['of one technician on one computer', 'of two technicians who share an account'])('two grants %s', (which) => {
  const shared = which.includes('share');
  let other: Technician;
  beforeAll(async () => {
    other = shared ? await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com', displayName: 'Bert' }) : anna;
    await setting({ technicianLoginMode: shared ? 'SHARED' : 'INDIVIDUAL' });
  });
  afterAll(() => setting({ technicianLoginMode: null }));
  const both = async () => [await world.active(anna, computer), await world.active(other, computer)] as const;

  test('enable one account, and each is told with its technician', async () => {
    const [first, second] = await both();
    const { accounts } = await world.desired(computer);
    expect(accounts).toMatchObject([
      { state: 'ENABLED', name: shared ? 'jit-shared' : 'jit-annaberg', grants: [{ grantId: first }, { grantId: second }] },
    ]);
    expect(await world.grant(anna, first)).toMatchObject({ technician: { id: anna.actor.id } });
    expect(await world.grant(anna, second)).toMatchObject({ technician: { id: other.actor.id } });
  });

  test('end one after the other: the first one`s end does not cut off the second', async () => {
    const [first, second] = await both();
    expect(await end(first)).toMatchObject({ state: 'ENDING' });
    expect(await account()).toMatchObject({ state: 'ENABLED', grants: [{ grantId: second }] });
    await world.report(computer, [{ grantId: first, state: 'DISABLED' }]);
    expect(await world.grant(anna, first)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
    expect(await world.grant(anna, second)).toMatchObject({ state: 'ACTIVE' });
    await world.report(computer, [{ grantId: second, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
    expect(await world.grant(anna, second)).toMatchObject({ state: 'ENDED', endReason: 'LOGGED_OFF' });
    expect(await account()).toMatchObject({ state: 'DISABLED', grants: [] });
  });

  test('expire each at its own time', async () => {
    const first = await world.active(anna, computer);
    service.clock.advance(60);
    const second = await world.active(other, computer);
    service.clock.advance(3540);
    await becomes(first, { state: 'ENDING', endReason: 'EXPIRED' });
    expect(await account()).toMatchObject({ state: 'ENABLED', grants: [{ grantId: second }] });
    service.clock.advance(60);
    await becomes(second, { state: 'ENDING' });
    expect(await account()).toMatchObject({ state: 'DISABLED' });
  });

  test('the account as a whole seen disabled proves the end of both', async () => {
    const ids = await both();
    for (const id of ids) await end(id);
    await world.report(computer, [{ state: 'DISABLED' }]);
    for (const id of ids) expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED', endReason: 'REVOKED' });
  });
});

describe('who may not any more', () => {
  test.each<[string, Partial<Payload<'technician-changed'>>]>([
    ['a technician who is switched off', { active: false, version: 2 }],
    ['a technician whose role is taken away', { assignments: [], version: 2 }],
  ])('%s loses every live grant, at once, on every computer', async (_, change) => {
    const carl = await world.technician(msp, 'TECHNICIAN', { email: 'carl@example.com' });
    const other = await world.computer(customer);
    await service.settled();
    const ids = [await world.active(carl, computer), await world.granted(carl, computer), await world.active(carl, other)];
    const annas = await world.active(anna, other);
    service.nudges.length = 0;
    await service.tell('technician-changed', { ...carl.told, ...change });
    await service.settled();
    for (const id of ids) expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'ACCESS_REMOVED' });
    expect(await world.grant(anna, annas)).toMatchObject({ state: 'ACTIVE' });
    expect((await world.desired(other)).accounts?.map((one) => one['state'])).toEqual(expect.arrayContaining(['DISABLED', 'ENABLED']));
    await eventually(() => expect(service.nudges).toEqual(expect.arrayContaining([computer.actor.id, other.actor.id])));
    // An older message that comes late gives nothing back.
    await service.tell('technician-changed', carl.told);
    await service.settled();
    const login = await world.start(computer);
    await expect(world.approve(carl, login)).rejects.toThrow('FORBIDDEN');
  });

  test('approvals that race with being switched off leave nothing live behind', async () => {
    for (let round = 0; round < 5; round += 1) {
      const carl = await world.technician(msp, 'TECHNICIAN', { email: 'carl@example.com' });
      const computers = await Promise.all(Array.from({ length: 4 }, () => world.computer(customer)));
      await service.settled();
      const logins = await Promise.all(computers.map((one) => world.start(one)));
      await Promise.all([
        ...logins.map((login) => world.approve(carl, login).catch(() => null)),
        service.tell('technician-changed', { ...carl.told, active: false, version: 2 }),
      ]);
      await service.settled();
      expect(
        await service.rows(`select id from jit_grant where technician_id = $1 and state in ('APPROVED', 'ACTIVE')`, [carl.actor.id]),
      ).toEqual([]);
    }
  });

  test('a computer that is revoked: its grants end', async () => {
    const id = await world.active(anna, computer);
    await service.tell('device-changed', { ...computer.told, active: false, version: 2 });
    await service.settled();
    expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDING', endReason: 'REVOKED' });
    await expect(world.desired(computer)).rejects.toThrow('FORBIDDEN');
    await expect(
      world.mutate(computer.actor, 'reportAccounts', '... on ReportsTaken { __typename }', { revision: 1, reports: [] }),
    ).rejects.toThrow('FORBIDDEN');
  });
});

describe('lists', () => {
  test('of a tenant and of a device: newest first, in pages', async () => {
    const ids: Id[] = [];
    for (let index = 0; index < 5; index += 1) {
      const id = await world.active(anna, computer);
      await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
      ids.unshift(id);
    }
    const other = await world.active(anna, await settledComputer());
    const list = async (ref: object, type: string, after: string | null) => {
      const query = `query ($refs: [_Any!]!, $after: String) { _entities(representations: $refs) { ... on ${type} { grants(first: 2, after: $after) { edges { node { id device { id } technician { id } } } pageInfo { hasNextPage endCursor } } } } }`;
      const answer = await service.send(anna.actor, query, { refs: [ref], after });
      return (
        answer.data?.['_entities'] as { grants: { edges: { node: { id: Id } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }[]
      )[0]?.grants;
    };
    const device = { __typename: 'Device', id: computer.actor.id };
    const seen: Id[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page = await list(device, 'Device', after);
      seen.push(...(page?.edges.map((edge) => edge.node.id) ?? []));
      after = page?.pageInfo.endCursor ?? null;
      more = page?.pageInfo.hasNextPage ?? false;
    }
    expect(seen).toEqual(ids);
    const ofTenant = await list({ __typename: 'Tenant', id: customer.tenantId }, 'Tenant', null);
    expect(ofTenant?.edges.map((edge) => edge.node.id)).toEqual([other, ids[0]]);
    const bad = await service.send(
      technicianActor(msp),
      `{ _entities(representations: [{ __typename: "Device", id: "${computer.actor.id}" }]) { ... on Device { grants(first: 101) { edges { cursor } } } } }`,
    );
    expect(bad.errors?.[0]?.extensions.code).toBe('MALFORMED');
  });
});

async function settledComputer(): Promise<Computer> {
  const made = await world.computer(customer);
  await service.settled();
  return made;
}
