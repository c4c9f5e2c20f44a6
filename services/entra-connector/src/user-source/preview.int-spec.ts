import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { markerOf } from '../account/account.domain.ts';
import { someone, SourceWorld, type SourceTenant } from '../testing/source-world.ts';
import { ReadingRepository } from './reading.repository.ts';
import { ReadingForgetSweep } from './user-source.sweep.ts';

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
