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
let sibling: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  sibling = await world.tenant(msp, 'Fabrikam');
});
beforeEach(async () => {
  anna = await world.technician(msp);
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const administrator = () => technicianActor(msp, 'ADMINISTRATOR');
const inSeconds = (seconds: number) => new Date(service.clock.now().getTime() + seconds * 1000).toISOString();
const grant = `... on Grant { ${grantFields} warnAt extendableUntil endedBy { id } privilegedChanges { groupName added removed } }`;
const extend = (id: Id, seconds: number, extension = newId(), by = anna.actor) =>
  world.mutate(by, 'extendGrant', grant, { id: extension, grantId: id, seconds });
const shorten = (id: Id, expiresAt: string, by = administrator()) => world.mutate(by, 'shortenGrant', grant, { id, expiresAt });
const desiredGrant = async () => (await world.desired(computer)).accounts?.[0]?.grants[0];

describe('a running session', () => {
  test('is extended by its own technician; the computer is told at once, and the same call again adds nothing', async () => {
    const id = await world.active(anna, computer);
    service.nudges.length = 0;
    const extension = newId();
    for (let call = 0; call < 2; call++) {
      expect(await extend(id, 1800, extension)).toMatchObject({ state: 'ACTIVE', expiresAt: inSeconds(5400), warnAt: inSeconds(5100) });
    }
    expect(await desiredGrant()).toMatchObject({ sessionSeconds: 5400, expiresAt: inSeconds(5400) });
    await eventually(() => expect(service.nudges).toContain(computer.actor.id));
    expect(await service.audited('grant.extended', id)).toMatchObject({ actorId: anna.actor.id, details: { expiresAt: inSeconds(5400) } });
  });

  test('is extended as far as its rule allows and no further', async () => {
    const id = await world.active(anna, computer);
    expect(await extend(id, 28_800)).toMatchObject({ expiresAt: inSeconds(28_800), extendableUntil: inSeconds(28_800) });
    expect(await extend(id, 60)).toMatchObject({ __typename: 'Conflict' });
  });

  test('is extended by the rule as it is now: shorter, with other people, not at all', async () => {
    const where = await world.tenant(msp, 'Ruled');
    const here = await world.computer(where);
    await service.settled();
    const id = await world.active(anna, here);
    const hour = (hours: number) => `${String((service.clock.now().getUTCHours() + hours) % 24).padStart(2, '0')}:00`;
    const later = [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: hour(3), to: hour(4) }];
    await world.rule(where, { name: 'Shorter', deviceTags: ['shorter'], maxSeconds: 4000 });
    await world.rule(where, { name: 'With others', deviceTags: ['others'], approvals: 1 });
    await world.rule(where, { name: 'Not now', deviceTags: ['later'], hours: later, timeZone: 'UTC' });
    const tagged = async (tag: string, version: number) => {
      await service.tell('device-changed', { ...here.told, tags: [tag], version });
      await service.settled();
    };
    await tagged('shorter', 2);
    expect(await extend(id, 28_800)).toMatchObject({ __typename: 'Grant', expiresAt: inSeconds(4000) });
    await tagged('others', 3);
    expect(await extend(id, 60)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('other people') });
    await tagged('later', 4);
    expect(await extend(id, 60)).toMatchObject({ __typename: 'AccessDenied', message: expect.stringContaining('hours') });
  });

  test('two extensions at once both count', async () => {
    const id = await world.active(anna, computer);
    await Promise.all([extend(id, 600), extend(id, 600)]);
    expect(await world.grant(anna, id)).toMatchObject({ expiresAt: inSeconds(4800) });
  });

  test.each<[string, () => Promise<Thing>, object]>([
    ['nothing', async () => extend(await world.active(anna, computer), 0), { __typename: 'InvalidInput', field: 'seconds' }],
    [
      'more than a rule can allow',
      async () => extend(await world.active(anna, computer), 28_801),
      { __typename: 'InvalidInput', field: 'seconds' },
    ],
    ['without an id', async () => extend(await world.active(anna, computer), 60, 'x'), { __typename: 'InvalidInput', field: 'id' }],
    [
      'somebody else`s',
      async () => extend(await world.active(anna, computer), 60, newId(), technicianActor(msp, 'TECHNICIAN')),
      { __typename: 'NotFound' },
    ],
    ['not yet active', async () => extend(await world.granted(anna, computer), 60), { __typename: 'Conflict' }],
  ])('is not extended: %s', async (_, call, expected) => {
    expect(await call()).toMatchObject(expected);
    expect((await desiredGrant())?.['sessionSeconds']).toBe(3600);
  });

  test('is shortened by an approver, and never lengthened that way', async () => {
    const id = await world.active(anna, computer);
    expect(await shorten(id, inSeconds(600))).toMatchObject({ expiresAt: inSeconds(600) });
    expect(await desiredGrant()).toMatchObject({ sessionSeconds: 600, expiresAt: inSeconds(600) });
    expect(await shorten(id, inSeconds(700))).toMatchObject({ __typename: 'InvalidInput', field: 'expiresAt' });
    expect(await shorten(id, inSeconds(-1))).toMatchObject({ __typename: 'InvalidInput', field: 'expiresAt' });
    expect(await shorten(id, 'soon')).toMatchObject({ __typename: 'InvalidInput', field: 'expiresAt' });
    // Its technician does not take that back.
    expect(await extend(id, 60)).toMatchObject({ __typename: 'Conflict' });
  });

  test('is ended by its own technician, who may end no one else`s without the permission', async () => {
    const id = await world.active(anna, computer);
    const carl = { ...technicianActor(msp, 'TECHNICIAN'), access: [{ tenantId: msp.tenantId, permissions: ['login.approve' as const] }] };
    expect(await world.mutate(carl as never, 'endGrant', grant, { id })).toMatchObject({ __typename: 'NotFound' });
    const own = { ...anna.actor, access: carl.access };
    expect(await world.mutate(own as never, 'endGrant', grant, { id })).toMatchObject({ state: 'ENDING', endedBy: { id: anna.actor.id } });
  });

  test('tells who became an administrator while it lasted', async () => {
    const id = await world.active(anna, computer);
    const privileged = [{ groupName: 'sudo', added: ['mallory'], removed: [] }];
    await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'IDLE', privileged }]);
    expect(
      await world.ask(anna.actor, `query ($id: ID!) { grant(id: $id) { ${grantFields} privilegedChanges { groupName added removed } } }`, {
        id,
      }),
    ).toMatchObject({ state: 'ENDED', endReason: 'IDLE', privilegedChanges: privileged });
    expect(await service.audited('grant.privileged-changed', id)).toMatchObject({ details: { group: 'sudo', added: 'mallory' } });
  });
});

describe('everything of one technician', () => {
  const endAll = (by = administrator(), technicianId = anna.actor.id) =>
    world.mutate(by, 'endAllOfTechnician', `... on EndedAll { grants { id state endReason endedBy { id } } cancelledLogins outOfReach }`, {
      technicianId,
      reason: 'Left',
    });

  test('ends at once on all computers, theirs alone', async () => {
    const bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
    const other = await world.computer(sibling);
    await service.settled();
    const ids = [await world.active(anna, computer), await world.granted(anna, other)];
    const berts = await world.active(bert, computer);
    service.nudges.length = 0;
    const admin = administrator();
    const ended = await endAll(admin);
    expect(ended).toMatchObject({ outOfReach: 0 });
    expect(ended['grants']).toEqual(
      expect.arrayContaining(ids.map((id) => ({ id, state: 'ENDING', endReason: 'REVOKED', endedBy: { id: admin.id } }))),
    );
    await eventually(() => expect(service.nudges).toEqual(expect.arrayContaining([computer.actor.id, other.actor.id])));
    expect(await world.grant(bert, berts)).toMatchObject({ state: 'ACTIVE' });
    expect(await service.audited('technician.all-ended', anna.actor.id)).toMatchObject({ actorId: admin.id, details: { reason: 'Left' } });
  });

  test('only in reach; the rest is counted, not hidden', async () => {
    const other = await world.computer(sibling);
    await service.settled();
    await world.active(anna, computer);
    const outside = await world.active(anna, other);
    const ended = await endAll(technicianActor(customer, 'ADMINISTRATOR'));
    expect(ended['grants']).toHaveLength(1);
    expect(ended).toMatchObject({ outOfReach: 1 });
    expect(await world.grant(anna, outside)).toMatchObject({ state: 'ACTIVE' });
  });

  test('logins that wait for other people are cancelled, in reach; the rest is counted', async () => {
    const where = await world.tenant(msp, 'Careful');
    const [here, there] = [await world.computer(where), await world.computer(sibling, { tags: ['careful'] })];
    await service.settled();
    await world.rule(where, { approvals: 1 });
    await world.rule(sibling, { deviceTags: ['careful'], approvals: 1 });
    const waiting = [await world.start(here), await world.start(there)];
    for (const login of waiting) expect(await world.approve(anna, login)).toMatchObject({ state: 'AWAITING_APPROVAL' });
    const admin = technicianActor(where, 'ADMINISTRATOR');
    expect(await endAll(admin)).toMatchObject({ grants: [], cancelledLogins: 1, outOfReach: 1 });
    const [first, second] = waiting;
    expect(await world.login(anna.actor, first?.id ?? '')).toMatchObject({ state: 'FAILED', failure: 'Left' });
    expect(await world.login(anna.actor, second?.id ?? '')).toMatchObject({ state: 'AWAITING_APPROVAL' });
    expect(await endAll()).toMatchObject({ cancelledLogins: 1, outOfReach: 0 });
  });

  test('no approval under way slips through', async () => {
    const computers = await Promise.all(Array.from({ length: 4 }, () => world.computer(customer)));
    await service.settled();
    const logins = await Promise.all(computers.map((one) => world.start(one)));
    const [ended] = await Promise.all([endAll(), ...logins.map((login) => world.approve(anna, login))]);
    // Each approval came wholly before, and its grant is ending, or wholly after, as a login of somebody who still may.
    const live = await service.rows('select id from jit_grant where technician_id = $1 and state = $2', [anna.actor.id, 'APPROVED']);
    expect((ended['grants'] as unknown[]).length + live.length).toBe(4);
    expect(ended).toMatchObject({ outOfReach: 0 });
  });

  test('once more ends nothing more', async () => {
    await world.active(anna, computer);
    await endAll();
    expect(await endAll()).toMatchObject({ grants: [], outOfReach: 0 });
  });

  test('is for administrators, with a reason', async () => {
    await expect(endAll(technicianActor(msp, 'TECHNICIAN'))).rejects.toThrow('FORBIDDEN');
    expect(
      await world.mutate(administrator(), 'endAllOfTechnician', '... on EndedAll { outOfReach }', {
        technicianId: anna.actor.id,
        reason: ' ',
      }),
    ).toMatchObject({ __typename: 'InvalidInput', field: 'reason' });
  });
});

test('however many and long the names are that somebody put there, the end is taken and the alarm is given', async () => {
  const id = await world.active(anna, computer);
  const long = (count: number) => Array.from({ length: count }, (_, index) => `${index}${'\u{1F608}'.repeat(120)}`);
  const privileged = Array.from({ length: 50 }, (_, index) => ({
    groupName: `g${index}${'\u00e4'.repeat(300)}`,
    added: long(12),
    removed: long(12),
  }));
  expect(await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF', privileged }])).toMatchObject({
    __typename: 'ReportsTaken',
  });
  expect(await world.grant(anna, id)).toMatchObject({ state: 'ENDED' });
  expect((await service.audited('grant.privileged-changed', id)).details['added']).toMatch(/^0.* and \d+ more$/u);
});

describe('stray accounts', () => {
  const report = (strays: object[]) =>
    world.mutate(computer.actor, 'reportStrayAccounts', '... on ReportsTaken { __typename revision }', { strays });
  const known = async () => {
    const query = 'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Device { strayAccounts { accountId name } } } }';
    const answer = await service.send(administrator(), query, { refs: [{ __typename: 'Device', id: computer.actor.id }] });
    return (answer.data?.['_entities'] as unknown as { strayAccounts: object[] }[])[0]?.strayAccounts;
  };

  test('are shown as long as they are there, and told of once', async () => {
    const stray = { accountId: newId(), name: 'jit-old' };
    for (let call = 0; call < 2; call++) expect(await report([stray])).toMatchObject({ __typename: 'ReportsTaken' });
    expect(await known()).toEqual([stray]);
    await service.audited('device.stray-account', computer.actor.id);
    expect(
      service.audits.filter(({ action, subjectId }) => action === 'device.stray-account' && subjectId === computer.actor.id),
    ).toHaveLength(1);
    await report([]);
    expect(await known()).toEqual([]);
  });

  test('that the server has seen gone before must be deleted again', async () => {
    const id = await world.active(anna, computer);
    const accountId = String((await world.desired(computer)).accounts?.[0]?.['id']);
    await world.report(computer, [{ grantId: id, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
    await service.rows('update jit_account set removed_at = now(), absent_since = now() where id = $1', [accountId]);
    expect((await world.desired(computer)).accounts).toEqual([]);
    await report([{ accountId, name: 'jit-annaberg' }]);
    expect((await world.desired(computer)).accounts).toMatchObject([{ id: accountId, state: 'ABSENT' }]);
  });

  test('one whose owner has another account by now must go, and the other one stays in use', async () => {
    const first = await world.active(anna, computer);
    const old = String((await world.desired(computer)).accounts?.[0]?.['id']);
    await world.report(computer, [{ grantId: first, state: 'DISABLED', endReason: 'LOGGED_OFF' }]);
    await service.rows('update jit_account set removed_at = now(), absent_since = now() where id = $1', [old]);
    await world.granted(anna, computer);
    const used = String((await world.desired(computer)).accounts?.[0]?.['id']);
    expect(await report([{ accountId: old, name: 'jit-annaberg' }])).toMatchObject({ __typename: 'ReportsTaken' });
    await world.granted(anna, computer);
    expect((await world.desired(computer)).accounts).toMatchObject([
      { id: old, state: 'ABSENT' },
      { id: used, state: 'ENABLED', grants: [{}, {}] },
    ]);
    await world.report(computer, [{ accountId: old, state: 'ABSENT' }]);
    expect((await world.desired(computer)).accounts).toMatchObject([{ id: used }]);
  });

  test('nonsense is refused whole', async () => {
    expect(
      await report([
        { accountId: newId(), name: 'jit-old' },
        { accountId: 'x', name: 'y' },
      ]),
    ).toMatchObject({
      __typename: 'InvalidInput',
      field: 'strays.1.accountId',
    });
    expect(await known()).toEqual([]);
  });
});
