import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { someone, SourceWorld, type SourceTenant } from '../testing/source-world.ts';
import { roundSeconds } from './source.domain.ts';

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
