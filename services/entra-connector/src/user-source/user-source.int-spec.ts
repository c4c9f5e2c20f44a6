import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exchangeProblems } from '@stint/graph-emulator';
import { newId } from '@stint/kernel';
import { markerOf } from '../account/account.domain.ts';
import { DependentRepository } from '../connection/dependent.repository.ts';
import { SourceWorld, type SourceTenant } from '../testing/source-world.ts';
import { ReadingRepository } from './reading.repository.ts';
import { roundSeconds, settleSeconds } from './source.domain.ts';
import { ReadingForgetSweep } from './user-source.sweep.ts';

let world: SourceWorld;
let msp: SourceTenant;
beforeAll(async () => {
  world = await SourceWorld.start();
});
beforeEach(async () => {
  msp = await world.tenant();
  world.graph.exchanges.length = 0;
});
afterEach(() => world.rest());
afterAll(async () => {
  const problems = world === undefined ? [] : exchangeProblems(world.graph);
  await world?.close();
  expect(problems).toEqual([]);
});

const told = async (objectId: string) => (await world.believed(msp)).get(objectId);
/** Requests to Graph, without the parts of batches. */
const paths = () => world.graph.exchanges.filter(({ url, batched }) => url.startsWith('/v1.0') && !batched).map(({ url }) => url);
/** A tenant whose source is on, with so many people in one group. */
async function on(people: number) {
  const users = Array.from({ length: people }, (_, place) => world.user(msp, `Person${place}`));
  const { id } = msp.entra.addGroup({ displayName: 'Technicians', members: users.map((user) => user.id) });
  const [technicianGroup] = await world.switchOn(msp, id);
  return { users, groupId: id, technicianGroup };
}
/** Takes one step after the other until it is so. */
async function steps(isSo: () => Promise<boolean>): Promise<void> {
  for (let step = 0; step < 20 && !(await isSo()); step += 1) await world.run(1);
}
const someone = (users: { id: string }[], place = 0) => users[place]?.id ?? '';

describe('a preview', () => {
  test('tells who would come, who would not and why, and changes nothing', async () => {
    const anna = world.user(msp, 'Anna');
    const twin = world.user(msp, 'Twin', { mail: 'anna@northwind.example' });
    const bert = world.user(msp, 'Bert');
    const guest = world.user(msp, 'Guest', { userType: 'Guest' });
    const off = world.user(msp, 'Off', { accountEnabled: false });
    const made = world.user(msp, 'Made', { employeeId: markerOf(msp.tenantId, newId()) });
    const glass = world.user(msp, 'Glass');
    await world.protect(msp, glass.id);
    await world.localTechnician(msp, 'bert@northwind.example');
    const within = msp.entra.addGroup({ displayName: 'Within', members: [bert.id, twin.id] });
    const chosen = msp.entra.addGroup({ displayName: 'Technicians', members: [anna.id, guest.id, off.id, made.id, glass.id, within.id] });
    const technicianGroupId = await world.group(msp);
    const reading = await world.preview(msp, [{ groupId: chosen.id, technicianGroupId, role: 'HELPDESK' }]);
    expect(reading).toMatchObject({ state: 'WAITING', groups: [{ label: 'Technicians', role: 'HELPDESK' }] });
    expect(reading.counts).toMatchObject({ ADDED: 3, SKIPPED: 4, CHANGED: 0, LEAVES: 0, conflicts: 3 });
    const { edges, pageInfo } = await world.service.changes(msp.administrator, reading, { first: 100, after: null });
    const of = (id: string) => edges.find(({ node }) => node.objectId === id)?.node;
    expect(of(anna.id)).toMatchObject({ kind: 'ADDED', groupIds: [technicianGroupId], roles: ['HELPDESK'], conflict: 'ADDRESS_TWICE' });
    expect(of(bert.id)).toMatchObject({ kind: 'ADDED', conflict: 'LOCAL_TECHNICIAN' });
    expect([guest, off, made, glass].map(({ id }) => of(id)?.why)).toEqual(['GUEST', 'DISABLED', 'STINT_ACCOUNT', 'BREAK_GLASS']);
    expect(pageInfo.hasNextPage).toBe(false);
    expect(await world.sent(msp, 'source-technician-changed')).toEqual([]);
    expect(await world.shown(msp)).toMatchObject({ on: false, people: 0, groups: [] });
  });

  test('is paged', async () => {
    const users = Array.from({ length: 5 }, (_, place) => world.user(msp, `P${place}`));
    const { id } = msp.entra.addGroup({ displayName: 'Five', members: users.map((user) => user.id) });
    const reading = await world.preview(msp, [{ groupId: id, technicianGroupId: await world.group(msp) }]);
    const first = await world.service.changes(msp.administrator, reading, { first: 3, after: null });
    const rest = await world.service.changes(msp.administrator, reading, { first: 3, after: first.edges.at(-1)?.node.id ?? '' });
    expect([first.edges.length, first.pageInfo.hasNextPage, rest.edges.length, rest.pageInfo.hasNextPage]).toEqual([3, true, 2, false]);
  });

  test('of other groups tells who would be switched off', async () => {
    const { users } = await on(3);
    const other = msp.entra.addGroup({ displayName: 'Other', members: [someone(users)] });
    const reading = await world.preview(msp, [{ groupId: other.id, technicianGroupId: await world.group(msp), role: 'AUDITOR' }]);
    expect(reading.counts).toMatchObject({ CHANGED: 1, LEAVES: 2 });
    await world.service.apply(msp.administrator, reading.id);
    await world.run();
    expect(await world.present(msp)).toEqual([someone(users)]);
    expect(await told(someone(users))).toMatchObject({ roles: ['AUDITOR'], owned: true });
  });

  test('that is an hour old, or was answered, is refused', async () => {
    const { groupId } = await on(1);
    const chosen = [{ groupId, technicianGroupId: await world.group(msp) }];
    const [first, second] = [await world.preview(msp, chosen), await world.preview(msp, chosen)];
    await expect(world.service.apply(msp.administrator, first.id)).rejects.toMatchObject({ type: 'Conflict' });
    world.clock.advance(3601);
    await expect(world.service.apply(msp.administrator, second.id)).rejects.toMatchObject({ type: 'Conflict' });
    await world.service.discard(msp.administrator, second.id);
    await expect(world.service.apply(msp.administrator, second.id)).rejects.toMatchObject({ type: 'Conflict' });
  });

  test('that nobody answers is forgotten after a week, with the people in it', async () => {
    const { id: groupId } = msp.entra.addGroup({ displayName: 'Technicians', members: [world.user(msp, 'Anna').id] });
    const { id } = await world.preview(msp, [{ groupId, technicianGroupId: await world.group(msp) }]);
    const forget = new ReadingForgetSweep(new ReadingRepository());
    for (const [days, kept] of [
      [6, 1],
      [2, 0],
    ] as const) {
      world.clock.advance(days * 86_400);
      await forget.step(world.tenancy, world.clock.now());
      const people = await world.tenancy.asSystem((tx) => tx.query('select 1 from user_source_found where reading_id = $1', [id]));
      expect([people.length, (await world.service.reading(msp.administrator, id)) === null]).toEqual([kept, kept === 0]);
    }
  });

  test.each<[string, string, (msp: SourceTenant) => Promise<object[]>]>([
    ['no group', 'InvalidInput', async () => []],
    ['a group that is not in Entra', 'InvalidInput', async (own) => [{ groupId: randomUUID(), technicianGroupId: await world.group(own) }]],
    ['a technician group that is not there', 'NotFound', async () => [{ groupId: randomUUID(), technicianGroupId: newId() }]],
    [
      'one of another tenant',
      'NotFound',
      async () => [{ groupId: randomUUID(), technicianGroupId: await world.group(await world.tenant()) }],
    ],
    [
      'a role that no source gives',
      'InvalidInput',
      async (own) => [{ groupId: randomUUID(), technicianGroupId: await world.group(own), role: 'ADMINISTRATOR' }],
    ],
    [
      'a name instead of an object id',
      'InvalidInput',
      async (own) => [{ groupId: 'Technicians', technicianGroupId: await world.group(own) }],
    ],
  ])('of %s is refused: %s', async (_, type, groups) => {
    world.clock.advance(-600);
    const chosen = await groups(msp);
    world.clock.advance(1200);
    const input = { id: newId(), tenantId: msp.tenantId, groups: chosen };
    await expect(world.service.preview(msp.administrator, input)).rejects.toMatchObject({ type });
  });
});

describe('a source that is on', () => {
  test('tells who is there, with groups and roles; nested groups count, and cycles do no harm', async () => {
    const [anna, bert] = [world.user(msp, 'Anna'), world.user(msp, 'Bert', { mail: null, displayName: 'Bért 山' })];
    const inner = msp.entra.addGroup({ displayName: 'Inner', members: [bert.id] });
    const outer = msp.entra.addGroup({ displayName: 'Outer', members: [anna.id, inner.id] });
    msp.entra.addMember(inner.id, outer.id);
    const [first, second] = await world.switchOn(msp, outer.id, inner.id);
    expect(await told(anna.id)).toMatchObject({
      email: 'anna@northwind.example',
      present: true,
      owned: true,
      roles: ['TECHNICIAN'],
      version: 1,
    });
    expect((await told(anna.id))?.groupIds).toEqual([first, second].sort());
    expect(await told(bert.id)).toMatchObject({ email: bert.userPrincipalName.toLowerCase(), displayName: 'Bért 山' });
    expect((await world.sent(msp, 'user-source-changed')).at(-1)).toMatchObject({ groupIds: [first, second], version: 1 });
    const audits = await world.sent(msp, 'audit-recorded');
    expect(audits.map(({ action }) => action)).toEqual(['user-source.asked', 'user-source.switched-on', 'user-source.applied']);
  });

  test('finds out within a round who is disabled, deleted, renamed or back, and tells each once', async () => {
    const { users } = await on(6);
    const [off, gone, named] = [someone(users, 0), someone(users, 1), someone(users, 2)];
    msp.entra.changeUser(off, { accountEnabled: false });
    msp.entra.deleteUser(gone);
    msp.entra.changeUser(named, { displayName: 'New', mail: 'new@northwind.example' });
    await world.later(roundSeconds);
    expect(await told(off)).toMatchObject({ present: false, groupIds: [], roles: [], version: 2 });
    expect(await told(gone)).toMatchObject({ present: false, version: 2 });
    expect(await told(named)).toMatchObject({ displayName: 'New', email: 'new@northwind.example', version: 2 });
    msp.entra.changeUser(off, { accountEnabled: true });
    await world.later(roundSeconds);
    expect(await told(off)).toMatchObject({ present: true, roles: ['TECHNICIAN'], version: 3 });
    const before = (await world.sent(msp, 'source-technician-changed')).length;
    await world.later(settleSeconds);
    await world.later(86_400);
    expect(await world.sent(msp, 'source-technician-changed')).toHaveLength(before);
  });

  test('finds out who comes into a group and leaves one, in groups within groups too', async () => {
    const { users, groupId } = await on(3);
    const carl = world.user(msp, 'Carl');
    const inner = msp.entra.addGroup({ displayName: 'Inner', members: [] });
    msp.entra.addMember(groupId, inner.id);
    await world.later(roundSeconds);
    msp.entra.addMember(inner.id, carl.id);
    msp.entra.removeMember(groupId, someone(users));
    await world.later(roundSeconds);
    expect(await told(carl.id)).toMatchObject({ present: true });
    expect(await told(someone(users))).toMatchObject({ present: false });
    msp.entra.removeMember(inner.id, carl.id);
    await world.later(roundSeconds);
    expect(await told(carl.id)).toMatchObject({ present: false });
  });

  test('knows who joins late though reads are late, and never believes a late read more than a delta', async () => {
    const { users, groupId } = await on(4);
    world.graph.setConsistency({ seconds: 300, reads: 2 });
    const carl = world.user(msp, 'Carl');
    msp.entra.addMember(groupId, carl.id);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.later(roundSeconds);
    expect(await told(someone(users))).toMatchObject({ present: false });
    await world.later(settleSeconds);
    await world.later(settleSeconds);
    expect(await told(carl.id)).toMatchObject({ present: true });
    expect(await told(someone(users))).toMatchObject({ present: false });
    world.graph.setConsistency({ seconds: 0, reads: 0 });
  });

  test('reads everything again when Entra has forgotten where the deltas were', async () => {
    const { users, groupId } = await on(3);
    const carl = world.user(msp, 'Carl');
    msp.entra.addMember(groupId, carl.id);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    msp.entra.expireDeltaTokens();
    await world.later(roundSeconds);
    expect(await told(carl.id)).toMatchObject({ present: true });
    expect(await told(someone(users))).toMatchObject({ present: false });
    expect((await world.source(msp)).usersCursor).not.toBeNull();
  });

  test('asks now when somebody says so', async () => {
    const { users } = await on(2);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.service.sync(msp.administrator, msp.tenantId, false);
    await world.run();
    expect(await told(someone(users))).toMatchObject({ present: false });
  });

  test('asks for everything that has changed by then, also in the middle of a round', async () => {
    const { users } = await on(2);
    world.clock.advance(roundSeconds);
    await world.run(1);
    expect(await world.source(msp)).toMatchObject({ round: 'GROUPS' });
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.service.sync(msp.administrator, msp.tenantId, false);
    await world.run();
    expect(await told(someone(users))).toMatchObject({ present: false });
  });

  test('asks for everything when its connection works again, also in the middle of a round', async () => {
    const { users } = await on(2);
    world.clock.advance(roundSeconds);
    await world.run(1);
    expect(await world.source(msp)).toMatchObject({ round: 'GROUPS' });
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.tenancy.asSystem((tx) => new DependentRepository().lookNow(tx, msp.mspId, msp.tenantId, world.clock.now()));
    await world.run();
    expect(await told(someone(users))).toMatchObject({ present: false });
  });

  test('in more groups than can be watched is read in every round', async () => {
    const { users, groupId } = await on(2);
    const inner = Array.from({ length: 50 }, (_, place) => msp.entra.addGroup({ displayName: `Inner ${place}` }));
    for (const { id } of inner) msp.entra.addMember(groupId, id);
    await world.later(roundSeconds);
    expect(await world.source(msp)).toMatchObject({ groupsCursor: null });
    msp.entra.removeMember(groupId, someone(users));
    const carl = world.user(msp, 'Carl');
    msp.entra.addMember(inner[49]?.id ?? '', carl.id);
    await world.later(roundSeconds);
    expect(await world.present(msp)).toEqual([someone(users, 1), carl.id].sort());
  });
});

describe('a synchronization that would switch many off', () => {
  test('waits for a yes, while who is disabled still loses access at once; and goes on with it', async () => {
    const { users, groupId } = await on(6);
    for (const user of users) msp.entra.removeMember(groupId, user.id);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.later(roundSeconds);
    const { readings } = await world.shown(msp);
    expect(readings).toMatchObject([{ purpose: 'SYNC', state: 'WAITING', heldBecause: expect.stringContaining('5 of 5 people') }]);
    expect(await world.present(msp)).toHaveLength(5);
    msp.entra.changeUser(someone(users, 1), { accountEnabled: false });
    await world.later(roundSeconds);
    expect(await world.present(msp)).toHaveLength(4);
    const held = (await world.shown(msp)).readings.find(({ state }) => state === 'WAITING');
    await world.service.apply(msp.administrator, held?.id ?? '');
    await world.run();
    expect(await world.present(msp)).toEqual([]);
    const audits = (await world.sent(msp, 'audit-recorded')).map(({ action }) => action);
    expect(audits).toEqual(expect.arrayContaining(['user-source.held', 'user-source.confirmed']));
  });

  test('is over by itself once Entra is right again', async () => {
    const { users, groupId } = await on(6);
    for (const user of users) msp.entra.removeMember(groupId, user.id);
    await world.later(roundSeconds);
    for (const user of users) msp.entra.addMember(groupId, user.id);
    await world.later(roundSeconds);
    expect((await world.shown(msp)).readings).toEqual([]);
    expect(await world.present(msp)).toHaveLength(6);
  });

  test('waits after everything had to be read again, too, and is not read over and over', async () => {
    const { users, groupId } = await on(6);
    for (const user of users) msp.entra.removeMember(groupId, user.id);
    msp.entra.expireDeltaTokens();
    world.clock.advance(roundSeconds);
    expect(await world.run(100)).toBeLessThan(20);
    const [held] = (await world.shown(msp)).readings;
    expect(held).toMatchObject({ state: 'WAITING' });
    msp.entra.addMember(groupId, someone(users));
    await world.later(roundSeconds);
    const again = (await world.shown(msp)).readings.find(({ state }) => state === 'WAITING');
    await world.service.apply(msp.administrator, again?.id ?? '');
    await world.run();
    expect(await world.present(msp)).toEqual([someone(users)]);
  });

  test('never waits with who is disabled, also when it is a reading that tells and no delta will', async () => {
    const { users, groupId } = await on(6);
    for (const user of users.slice(1)) msp.entra.removeMember(groupId, user.id);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    msp.entra.expireDeltaTokens();
    await world.later(roundSeconds);
    const [held] = (await world.shown(msp)).readings;
    // She is told of already: the yes is about the others.
    expect(held).toMatchObject({
      state: 'WAITING',
      counts: { LEAVES: 5, left: 5, SKIPPED: 1 },
      heldBecause: expect.stringContaining('5 of 5'),
    });
    expect(await told(someone(users))).toMatchObject({ present: false, groupIds: [], roles: [], version: 2 });
    expect(await world.present(msp)).toHaveLength(5);
    await world.service.apply(msp.administrator, held?.id ?? '');
    await world.run();
    expect(await world.present(msp)).toEqual([]);
    expect(await told(someone(users))).toMatchObject({ version: 2 });
  });

  test('never waits with who has left and is disabled or deleted as well, though no delta will tell', async () => {
    const { users, groupId } = await on(8);
    const [disabled, deleted] = [someone(users, 0), someone(users, 1)];
    for (const user of users) msp.entra.removeMember(groupId, user.id);
    msp.entra.changeUser(disabled, { accountEnabled: false });
    msp.entra.deleteUser(deleted);
    msp.entra.expireDeltaTokens();
    await world.later(roundSeconds);
    expect((await world.shown(msp)).readings).toMatchObject([{ state: 'WAITING', counts: { LEAVES: 6, left: 6, SKIPPED: 2 } }]);
    expect(await told(disabled)).toMatchObject({ present: false, version: 2 });
    expect(await told(deleted)).toMatchObject({ present: false, version: 2 });
    expect(await world.present(msp)).toHaveLength(6);
    // Out of the recycle bin and in the group again: the way back is heard of.
    msp.entra.restoreUser(deleted);
    msp.entra.changeUser(disabled, { accountEnabled: true });
    for (const user of users) msp.entra.addMember(groupId, user.id);
    await world.later(roundSeconds);
    expect(await world.present(msp)).toHaveLength(8);
    expect((await world.shown(msp)).readings).toEqual([]);
  });

  test('believes a delta that is newer than the answer about somebody who has left', async () => {
    const { users, groupId } = await on(6);
    const back = someone(users);
    const rows = (sql: string) => world.tenancy.asSystem((tx) => tx.query(sql, [msp.tenantId]));
    for (const user of users) msp.entra.removeMember(groupId, user.id);
    world.clock.advance(roundSeconds);
    const membersAreRead = `select 1 from user_source_reading where tenant_id = $1 and state = 'READING' and place = 1`;
    while ((await rows(membersAreRead)).length === 0) expect(await world.run(1)).toBe(1);
    // Disabled when she is asked for, and enabled by the time of the round that comes next.
    msp.entra.changeUser(back, { accountEnabled: false });
    world.clock.advance(roundSeconds);
    await world.run(1);
    expect(await rows(`select 1 from user_source_found where tenant_id = $1 and apart ->> 'enabled' = 'false'`)).toHaveLength(1);
    msp.entra.changeUser(back, { accountEnabled: true });
    await world.run();
    expect((await world.shown(msp)).readings).toMatchObject([{ state: 'WAITING', counts: { LEAVES: 6, left: 6, SKIPPED: 0 } }]);
    expect(await world.present(msp)).toHaveLength(6);
  });

  test('believes nobody to be deleted where no chosen group is there either', async () => {
    const { users, groupId } = await on(6);
    msp.entra.deleteGroup(groupId);
    for (const user of users) msp.entra.deleteUser(user.id);
    msp.entra.expireDeltaTokens();
    await world.later(roundSeconds);
    const heldBecause = expect.stringContaining('gone from Entra ID');
    expect((await world.shown(msp)).readings).toMatchObject([{ state: 'WAITING', counts: { LEAVES: 6, left: 6 }, heldBecause }]);
    expect(await world.present(msp)).toHaveLength(6);
  });

  test('waits too when a chosen group is gone', async () => {
    const { groupId } = await on(1);
    msp.entra.deleteGroup(groupId);
    await world.later(roundSeconds);
    expect((await world.shown(msp)).readings).toMatchObject([{ heldBecause: expect.stringContaining('gone from Entra ID') }]);
    expect(await world.present(msp)).toHaveLength(1);
  });
});

describe('when Entra does not answer as it should', () => {
  test('withdrawn consent switches nobody off, is told, and is over when it is given again', async () => {
    const { users } = await on(2);
    msp.entra.changeApp(msp.clientId, { granted: [] });
    world.clock.advance(3600);
    await world.later(roundSeconds);
    expect(await world.shown(msp)).toMatchObject({ on: true, people: 2, problem: expect.any(String) });
    msp.entra.changeApp(msp.clientId, { granted: ['User.Read.All', 'GroupMember.Read.All'] });
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.later(3600);
    expect(await world.shown(msp)).toMatchObject({ people: 1, problem: null });
  });

  test('a day of outage loses nothing', async () => {
    const { users, groupId } = await on(3);
    const fault = world.graph.fail({ answer: { status: 503 }, times: 100_000 });
    msp.entra.deleteUser(someone(users));
    const carl = world.user(msp, 'Carl');
    msp.entra.addMember(groupId, carl.id);
    for (let hour = 0; hour < 24; hour += 1) await world.later(3600);
    expect((await world.shown(msp)).problem).not.toBeNull();
    fault.cancel();
    await world.later(3600);
    expect(await world.present(msp)).toEqual([someone(users, 1), someone(users, 2), carl.id].sort());
    expect((await world.shown(msp)).problem).toBeNull();
  });

  test('a crash at any step costs that step alone', async () => {
    const users = Array.from({ length: 5 }, (_, place) => world.user(msp, `Person${place}`));
    const group = msp.entra.addGroup({ displayName: 'Five', members: users.map(({ id }) => id) });
    const id = newId();
    const groups = [{ groupId: group.id, technicianGroupId: await world.group(msp) }];
    await world.service.preview(msp.administrator, { id, tenantId: msp.tenantId, groups });
    for (let step = 0; step < 20; step += 1) {
      // Who dies has taken the source and kept nothing; another replica takes it once the lease is over.
      await world.tenancy.asSystem((tx) => world.sources.take(tx, world.clock.now()));
      expect(await world.run(1)).toBe(0);
      world.clock.advance(181);
      await world.run(1);
      if ((await world.service.reading(msp.administrator, id))?.state === 'WAITING') await world.service.apply(msp.administrator, id);
    }
    expect(await world.present(msp)).toEqual(users.map((user) => user.id).sort());
    expect((await world.sent(msp, 'source-technician-changed')).map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
  });

  test('who lost the lease changes nothing any more', async () => {
    const { users } = await on(1);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    world.clock.advance(roundSeconds);
    const late = await world.tenancy.asSystem((tx) => world.sources.take(tx, world.clock.now()));
    await world.service.sync(msp.administrator, msp.tenantId, false);
    expect(late?.fence).toBeLessThan((await world.source(msp)).fence);
    await world.run();
    expect((await world.sent(msp, 'source-technician-changed')).map(({ version }) => version)).toEqual([1, 2]);
  });
});

describe('when another Entra tenant is connected', () => {
  const chosen = async (groupId: string) => [{ groupId, technicianGroupId: await world.group(msp) }];

  test('a preview of the former one is not applied any more, nor one while none is connected', async () => {
    const { users, groupId } = await on(2);
    const [{ id }, former] = [await world.preview(msp, await chosen(groupId)), msp.entra];
    const other = world.connect(msp);
    await expect(world.service.apply(msp.administrator, id)).rejects.toMatchObject({
      type: 'Conflict',
      message: expect.stringContaining('preview'),
    });
    world.disconnect(msp);
    await expect(world.service.apply(msp.administrator, id)).rejects.toMatchObject({
      type: 'Conflict',
      message: expect.stringContaining('connect'),
    });
    expect(other.id).not.toBe(former.id);
    expect(await world.present(msp)).toEqual(users.map((user) => user.id).sort());
  });

  test('a synchronization that was being read is given up, and a preview of its groups is read and may be said yes to', async () => {
    const { users, groupId } = await on(2);
    await world.service.sync(msp.administrator, msp.tenantId, true);
    await world.run(1);
    expect((await world.shown(msp)).readings).toMatchObject([{ purpose: 'SYNC', state: 'READING' }]);
    const other = world.connect(msp);
    await world.later(roundSeconds);
    expect((await world.shown(msp)).problem).toContain('is connected now');
    const anna = other.addUser({ displayName: 'Anna', mail: 'anna@northwind.example' });
    const preview = await world.preview(msp, await chosen(other.addGroup({ displayName: 'There', members: [anna.id] }).id));
    expect(preview).toMatchObject({ state: 'WAITING', entraTenantId: other.id, counts: { ADDED: 1, LEAVES: 2 } });
    expect(await world.present(msp)).toEqual(users.map((user) => user.id).sort());
    await world.service.apply(msp.administrator, preview.id);
    await world.run();
    expect(await world.present(msp)).toEqual([anna.id]);
    expect(groupId).not.toBe('');
  });

  test('a preview that cannot be read any more says why, and who is disabled in the former one loses access all the same', async () => {
    const { users } = await on(2);
    const former = msp.entra;
    const other = world.connect(msp);
    const id = newId();
    const groups = await chosen(other.addGroup({ displayName: 'There' }).id);
    await world.service.preview(msp.administrator, { id, tenantId: msp.tenantId, groups });
    await steps(async () => (await world.service.reading(msp.administrator, id))?.entraTenantId === other.id);
    world.connect(msp, former);
    former.changeUser(someone(users), { accountEnabled: false });
    await world.later(roundSeconds);
    expect(await told(someone(users))).toMatchObject({ present: false });
    const given = await world.service.reading(msp.administrator, id);
    expect(given).toMatchObject({ state: 'DISCARDED', heldBecause: expect.stringContaining('is connected now') });
    expect(await world.shown(msp)).toMatchObject({ readings: [], problem: null });
  });
});

describe('members that cannot be read', () => {
  let fault: ReturnType<typeof world.graph.fail> | undefined;
  const fail = (status: number) => (fault = world.graph.fail({ answer: { status }, times: 100_000, path: /transitiveMembers/ }));
  afterEach(() => fault?.cancel());

  test.each(['a preview', 'a synchronization'])('end %s, and who is disabled loses access within a round all the same', async (what) => {
    const { users, groupId } = await on(2);
    fail(403);
    const id = newId();
    if (what === 'a preview') {
      const groups = [{ groupId, technicianGroupId: await world.group(msp) }];
      await world.service.preview(msp.administrator, { id, tenantId: msp.tenantId, groups });
    } else msp.entra.addMember(groupId, world.user(msp, 'Carl').id);
    await world.later(roundSeconds);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    await world.later(roundSeconds);
    expect(await told(someone(users))).toMatchObject({ present: false });
    expect((await world.shown(msp)).readings).toEqual([]);
    if (what === 'a preview') {
      expect(await world.service.reading(msp.administrator, id)).toMatchObject({ state: 'DISCARDED', heldBecause: expect.any(String) });
    } else expect((await world.shown(msp)).problem).not.toBeNull();
    fault?.cancel();
    await world.later(roundSeconds);
    expect(await world.shown(msp)).toMatchObject({ people: what === 'a preview' ? 1 : 2, problem: null });
  });

  test.each(['a preview', 'a synchronization'])('for an hour do not end %s, and hold up no delta of people', async (what) => {
    const { users, groupId } = await on(2);
    fail(503);
    if (what === 'a preview') {
      const groups = [{ groupId, technicianGroupId: await world.group(msp) }];
      await world.service.preview(msp.administrator, { id: newId(), tenantId: msp.tenantId, groups });
    } else await world.service.sync(msp.administrator, msp.tenantId, true);
    for (let minute = 0; minute < 30; minute += 1) await world.later(60);
    msp.entra.changeUser(someone(users), { accountEnabled: false });
    for (let minute = 0; minute < 10; minute += 1) await world.later(60);
    expect(await told(someone(users))).toMatchObject({ present: false });
    expect((await world.shown(msp)).readings).toMatchObject([{ state: 'READING' }]);
    fault?.cancel();
    for (let minute = 0; minute < 10; minute += 1) await world.later(60);
    expect((await world.shown(msp)).readings).toMatchObject(what === 'a preview' ? [{ state: 'WAITING' }] : []);
  });
});

describe('switched off', () => {
  test.each([
    ['KEEP', { present: true, owned: false, roles: ['TECHNICIAN'] }],
    ['SWITCH_OFF', { present: false, owned: false, roles: [], groupIds: [] }],
  ] as const)('by %s it lets go of everybody, and asks nothing any more', async (people, last) => {
    const { users, groupId } = await on(3);
    await world.service.switchOff(msp.administrator, msp.tenantId, people);
    await world.run();
    for (const { id } of users) expect(await told(id)).toMatchObject({ ...last, version: 2 });
    expect((await world.sent(msp, 'user-source-changed')).at(-1)).toMatchObject({ groupIds: [], version: 2 });
    world.graph.exchanges.length = 0;
    await world.later(86_400);
    expect(paths()).toEqual([]);
    expect(await world.shown(msp)).toMatchObject({ on: false, leaving: null, people: 0 });
    await world.switchOn(msp, groupId);
    for (const { id } of users) expect(await told(id)).toMatchObject({ present: true, owned: true, version: 3 });
  });
});

test('costs few requests: two batches and a page for 999 people, two requests for a round without changes', async () => {
  await on(100);
  const reading = paths();
  expect(reading.filter((path) => path.includes('$batch'))).toHaveLength(2);
  expect(reading.filter((path) => path.includes('/transitiveMembers/microsoft.graph.user'))).toHaveLength(1);
  await world.later(roundSeconds);
  world.graph.exchanges.length = 0;
  await world.later(roundSeconds);
  expect(paths()).toHaveLength(2);
});

describe("another MSP's source", () => {
  test('is not there, nor are its readings', async () => {
    const { groupId } = await on(1);
    const reading = await world.preview(msp, [{ groupId, technicianGroupId: await world.group(msp) }]);
    const { administrator: stranger } = await world.tenant();
    world.clock.advance(3600);
    const refused = { type: 'NotFound' };
    await expect(world.service.apply(stranger, reading.id)).rejects.toMatchObject(refused);
    await expect(world.service.discard(stranger, reading.id)).rejects.toMatchObject(refused);
    await expect(world.service.sync(stranger, msp.tenantId, true)).rejects.toMatchObject(refused);
    await expect(world.service.switchOff(stranger, msp.tenantId, 'KEEP')).rejects.toMatchObject(refused);
    const input = { id: newId(), tenantId: msp.tenantId, groups: [{ groupId, technicianGroupId: await world.group(msp) }] };
    await expect(world.service.preview(stranger, input)).rejects.toMatchObject(refused);
    await expect(world.service.search(stranger, msp.tenantId, 'Tech')).rejects.toMatchObject(refused);
    expect(await world.service.search(msp.administrator, msp.tenantId, 'Tech')).toMatchObject([{ id: groupId }]);
    expect(await world.service.read(stranger, msp.tenantId)).toBeNull();
    expect(await world.service.reading(stranger, reading.id)).toBeNull();
  });
});
