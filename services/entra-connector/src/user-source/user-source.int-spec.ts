import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { DependentRepository } from '../connection/dependent.repository.ts';
import { someone, SourceWorld, type SourceTenant } from '../testing/source-world.ts';
import { roundSeconds, settleSeconds } from './source.domain.ts';

let world: SourceWorld;
let msp: SourceTenant;
beforeAll(async () => {
  world = await SourceWorld.start();
});
beforeEach(async () => {
  msp = await world.tenant();
});
afterEach(() => world.rest());
afterAll(() => world.close());

const told = async (objectId: string) => (await world.believed(msp)).get(objectId);
const on = (people: number) => world.on(msp, people);

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
    world.requests();
    await world.later(86_400);
    expect(world.requests()).toEqual([]);
    expect(await world.shown(msp)).toMatchObject({ on: false, leaving: null, people: 0 });
    await world.switchOn(msp, groupId);
    for (const { id } of users) expect(await told(id)).toMatchObject({ present: true, owned: true, version: 3 });
  });
});

test('costs few requests: two batches and a page for 999 people, two requests for a round without changes', async () => {
  world.requests();
  await on(100);
  const reading = world.requests();
  expect(reading.filter((path) => path.includes('$batch'))).toHaveLength(2);
  expect(reading.filter((path) => path.includes('/transitiveMembers/microsoft.graph.user'))).toHaveLength(1);
  await world.later(roundSeconds);
  world.requests();
  await world.later(roundSeconds);
  expect(world.requests()).toHaveLength(2);
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
