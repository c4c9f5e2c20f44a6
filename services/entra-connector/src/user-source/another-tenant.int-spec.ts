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
    await world.steps(async () => (await world.service.reading(msp.administrator, id))?.entraTenantId === other.id);
    world.connect(msp, former);
    former.changeUser(someone(users), { accountEnabled: false });
    await world.later(roundSeconds);
    expect(await told(someone(users))).toMatchObject({ present: false });
    const given = await world.service.reading(msp.administrator, id);
    expect(given).toMatchObject({ state: 'DISCARDED', heldBecause: expect.stringContaining('is connected now') });
    expect(await world.shown(msp)).toMatchObject({ readings: [], problem: null });
  });
});
