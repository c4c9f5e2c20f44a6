import { afterEach, describe, expect, test } from '@jest/globals';
import { emulated, newUser, type Emulated } from '../emulated.support.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

/** All of a round: what it tells, and the link for the next. */
async function round(link: string, headers: Record<string, string> = {}) {
  const value: Record<string, unknown>[] = [];
  for (let at = link; ;) {
    const { body } = await world.call('GET', at, undefined, headers);
    value.push(...(body.value ?? []));
    if (body['@odata.deltaLink'] !== undefined) return { value, next: String(body['@odata.deltaLink']) };
    at = String(body['@odata.nextLink']);
  }
}

describe('users/delta', () => {
  test('first all, then what was made, changed, deleted, restored, and deleted for good', async () => {
    world = await emulated({ pageSize: 2 });
    const { call, tenant } = world;
    const users = [1, 2, 3, 4, 5].map(() => tenant.addUser().id).sort();
    const first = await round('/users/delta?$select=displayName,accountEnabled');
    expect(first.value.map(({ id }) => id)).toEqual(users);
    expect((await round(first.next)).value).toEqual([]);

    const made = String((await call('POST', '/users', newUser(tenant))).body['id']);
    const [changed = '', deleted = '', other = ''] = users;
    tenant.changeUser(changed, { accountEnabled: false });
    tenant.changeUser(other, { jobTitle: 'not among what is selected' });
    tenant.deleteUser(deleted);
    const second = await round(first.next);
    expect(second.value.map(({ id }) => id)).toEqual([made, changed, deleted].sort());
    expect(second.value.find(({ id }) => id === changed)).toEqual({ id: changed, displayName: expect.any(String), accountEnabled: false });
    expect(second.value.find(({ id }) => id === deleted)).toEqual({ id: deleted, '@removed': { reason: 'changed' } });

    await call('POST', `/directory/deletedItems/${deleted}/restore`);
    const third = await round(second.next);
    expect(third.value).toMatchObject([{ id: deleted, accountEnabled: true }]);
    tenant.deleteUser(deleted);
    await call('DELETE', `/directory/deletedItems/${deleted}`);
    expect((await round(third.next)).value).toEqual([{ id: deleted, '@removed': { reason: 'deleted' } }]);
  });

  test('Prefer: return=minimal leaves only what has changed', async () => {
    world = await emulated();
    const { id } = world.tenant.addUser();
    const { next } = await round('/users/delta');
    world.tenant.changeUser(id, { accountEnabled: false });
    expect((await round(next, { prefer: 'return=minimal' })).value).toEqual([{ id, accountEnabled: false }]);
  });

  test('$filter on ids; a token for what comes', async () => {
    world = await emulated();
    const { tenant } = world;
    const [one, two] = [tenant.addUser().id, tenant.addUser().id];
    expect((await round(`/users/delta?$filter=${encodeURIComponent(`id eq '${one}'`)}`)).value).toMatchObject([{ id: one }]);
    const latest = await round('/users/delta?$deltatoken=latest');
    expect(latest.value).toEqual([]);
    tenant.changeUser(two, { department: 'IT' });
    expect((await round(latest.next)).value).toMatchObject([{ id: two }]);
  });

  test.each<[string, (world: Emulated) => void]>([
    ['after seven days', ({ clock }) => clock.advance(8 * 86_400)],
    ['when Graph has forgotten it', ({ tenant }) => tenant.expireDeltaTokens()],
  ])('a token is refused %s: 410, and where to begin anew', async (_, happens) => {
    world = await emulated();
    world.tenant.addUser();
    const { next } = await round('/users/delta');
    happens(world);
    const { body } = await world.token();
    const refused = await world.call('GET', next, undefined, { authorization: `Bearer ${String(body['access_token'])}` });
    expect(refused).toMatchObject({ status: 410, body: { error: { code: 'syncStateNotFound' } } });
    expect(refused.headers.get('location')).toBe(`${world.graph.url}/v1.0/users/delta?$deltatoken=`);
  });

  test.each(['garbage', Buffer.from('{"kind":"groups"}').toString('base64url')])('a token that is none is refused: %s', async (token) => {
    world = await emulated();
    expect((await world.call('GET', `/users/delta?$deltatoken=${token}`)).status).toBe(400);
  });
});

describe('groups', () => {
  test('delta tells who came and who went', async () => {
    world = await emulated();
    const { tenant } = world;
    const [a, b] = [tenant.addUser().id, tenant.addUser().id];
    const group = tenant.addGroup({ displayName: 'Technicians', members: [a] });
    const type = '#microsoft.graph.user';
    const first = await round('/groups/delta?$select=displayName,members');
    expect(first.value).toEqual([{ id: group.id, displayName: 'Technicians', 'members@delta': [{ '@odata.type': type, id: a }] }]);
    tenant.addMember(group.id, b);
    tenant.removeMember(group.id, a);
    const second = await round(first.next);
    expect(second.value[0]?.['members@delta']).toEqual([
      { '@odata.type': type, id: a, '@removed': { reason: 'deleted' } },
      { '@odata.type': type, id: b },
    ]);
    tenant.deleteGroup(group.id);
    expect((await round(second.next)).value).toEqual([{ id: group.id, '@removed': { reason: 'deleted' } }]);
  });

  test('transitive members: users of inner groups, each once, also where groups contain each other', async () => {
    world = await emulated();
    const { tenant, call } = world;
    const [a, b] = [tenant.addUser().id, tenant.addUser().id];
    const inner = tenant.addGroup({ displayName: 'Inner', members: [a, b] });
    const outer = tenant.addGroup({ displayName: 'Outer', members: [inner.id, a] });
    tenant.addMember(inner.id, outer.id);
    const ids = async (path: string) => (await call('GET', `/groups/${outer.id}/${path}`)).body.value?.map(({ id }) => id);
    expect(await ids('transitiveMembers/microsoft.graph.user?$select=id')).toEqual([a, b]);
    expect(await ids('members/microsoft.graph.user')).toEqual([a]);
    expect(await ids('members')).toEqual([a, inner.id]);
  });

  test('members are added and removed by reference', async () => {
    world = await emulated();
    const { tenant, call, graph } = world;
    const group = tenant.addGroup({ displayName: 'Jit' });
    const { id } = tenant.addUser();
    const add = (who: string) =>
      call('POST', `/groups/${group.id}/members/$ref`, { '@odata.id': `${graph.url}/v1.0/directoryObjects/${who}` });
    expect((await add(id)).status).toBe(204);
    expect((await add(id)).body.error?.message).toContain('already exist');
    expect((await add('no-such-user')).body.error?.message).toContain('Not a valid reference update');
    expect((await call('DELETE', `/groups/${group.id}/members/${id}/$ref`)).status).toBe(204);
    expect((await call('DELETE', `/groups/${group.id}/members/${id}/$ref`)).status).toBe(404);
  });
});
