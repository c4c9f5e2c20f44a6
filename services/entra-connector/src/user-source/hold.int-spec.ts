import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
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
    await world.steps(async () => (await rows(membersAreRead)).length === 1);
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
