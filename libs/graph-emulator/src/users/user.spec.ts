import { afterEach, describe, expect, test } from '@jest/globals';
import { emulated, newUser, type Emulated } from '../emulated.support.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

describe('users', () => {
  test('made, read by id and name, changed, deleted, found in the recycle bin, restored, deleted for good', async () => {
    world = await emulated();
    const { call, tenant } = world;
    const made = await call('POST', '/users', newUser(tenant, { employeeId: 'grant-1' }));
    expect(made).toMatchObject({ status: 201, body: { displayName: 'Jit One', userPrincipalName: `jit-one@${tenant.initialDomain}` } });
    expect(JSON.stringify(made.body)).not.toMatch(/password|accountEnabled/);
    const id = String(made.body['id']);

    const byName = await call('GET', `/users/jit-one%40${tenant.initialDomain}?$select=id,employeeId,accountEnabled`);
    expect(byName.body).toMatchObject({ id, employeeId: 'grant-1', accountEnabled: true });
    expect((await call('PATCH', `/users/${id}`, { accountEnabled: false })).status).toBe(204);
    expect((await call('GET', `/users/${id}?$select=accountEnabled`)).body).toMatchObject({ accountEnabled: false });

    expect((await call('DELETE', `/users/${id}`)).status).toBe(204);
    expect(await call('GET', `/users/${id}`)).toMatchObject({ status: 404, body: { error: { code: 'Request_ResourceNotFound' } } });
    const bin = await call('GET', '/directory/deletedItems/microsoft.graph.user');
    expect(bin.body.value).toMatchObject([{ id, userPrincipalName: `${id.replaceAll('-', '')}jit-one@${tenant.initialDomain}` }]);
    expect((await call('POST', `/directory/deletedItems/${id}/restore`)).status).toBe(200);
    expect((await call('GET', `/users/${id}`)).status).toBe(200);
    await call('DELETE', `/users/${id}`);
    expect((await call('DELETE', `/directory/deletedItems/${id}`)).status).toBe(204);
    expect(tenant.deletedUsers()).toEqual([]);
  });

  test('a name is taken by who is there, not by who was deleted', async () => {
    world = await emulated();
    const { call, tenant } = world;
    const first = await call('POST', '/users', newUser(tenant));
    expect(await call('POST', '/users', newUser(tenant))).toMatchObject({
      status: 400,
      body: { error: { code: 'Request_BadRequest', details: [{ code: 'ObjectConflict' }] } },
    });
    await call('DELETE', `/users/${String(first.body['id'])}`);
    expect((await call('POST', '/users', newUser(tenant))).status).toBe(201);
    expect((await call('POST', `/directory/deletedItems/${String(first.body['id'])}/restore`)).status).toBe(400);
  });

  test.each([
    ['no display name', { displayName: '' }, 'displayName'],
    ['a dot before the @', { userPrincipalName: 'jit.@DOMAIN' }, 'userPrincipalName'],
    ['65 characters before the @', { userPrincipalName: `${'a'.repeat(65)}@DOMAIN` }, 'userPrincipalName'],
    ['letters that are no ASCII', { userPrincipalName: 'jït@DOMAIN' }, 'userPrincipalName'],
    ['a foreign domain', { userPrincipalName: 'jit@elsewhere.example' }, 'domain'],
    ['a federated domain', { userPrincipalName: 'jit@federated.example' }, 'onPremisesImmutableId'],
    ['a password of 7', { passwordProfile: { password: 'aB3$567' } }, 'complexity'],
    ['a password of two kinds', { passwordProfile: { password: 'abcdefgh12' } }, 'complexity'],
    ['a password that is no ASCII', { passwordProfile: { password: 'Äbcdefgh12$' } }, 'complexity'],
    ['a banned password', { passwordProfile: { password: 'Password-1234' } }, 'easily guessed'],
    ['an unknown property', { favouriteColour: 'red' }, 'favouriteColour'],
    ['a number for a name', { displayName: 7 }, 'displayName'],
  ])('a new user with %s is refused', async (_, wrong, said) => {
    const initial = { name: 'contoso.onmicrosoft.com', isDefault: true, isInitial: true, authenticationType: 'Managed' as const };
    const federated = { name: 'federated.example', isDefault: false, isInitial: false, authenticationType: 'Federated' as const };
    world = await emulated({ tenant: { domains: [initial, federated] } });
    const body = JSON.parse(JSON.stringify({ ...newUser(world.tenant), ...wrong }).replace('DOMAIN', initial.name)) as object;
    const refused = await world.call('POST', '/users', body);
    expect(refused.status).toBe(400);
    expect(refused.body.error?.message).toContain(said);
    expect(world.tenant.users()).toEqual([]);
  });

  test.each([
    ["employeeId eq 'b'", ['b']],
    ["employeeId in ('a','c')", ['a', 'c']],
    ["startswith(userPrincipalName,'JIT-') and accountEnabled eq true", ['a', 'b']],
    ["employeeId eq 'a' or (accountEnabled eq false)", ['a', 'c']],
    ['employeeId eq null', []],
  ])('$filter=%s', async (filter, found) => {
    world = await emulated();
    const { call, tenant } = world;
    for (const name of ['a', 'b', 'c']) {
      tenant.addUser({ employeeId: name, userPrincipalName: `jit-${name}@${tenant.initialDomain}`, accountEnabled: name !== 'c' });
    }
    const listed = await call('GET', `/users?$filter=${encodeURIComponent(filter)}&$select=employeeId`);
    expect(listed.body.value?.map((user) => user['employeeId'])).toEqual(found);
  });

  test.each([
    ["employeeId ne 'a'", 'Request_UnsupportedQuery'],
    ["favouriteColour eq 'red'", 'Request_UnsupportedQuery'],
    ['employeeId eq', 'BadRequest'],
  ])('$filter=%s is refused', async (filter, code) => {
    world = await emulated();
    expect(await world.call('GET', `/users?$filter=${encodeURIComponent(filter)}`)).toMatchObject({
      status: 400,
      body: { error: { code } },
    });
  });

  test('advanced queries want ConsistencyLevel and $count', async () => {
    world = await emulated();
    const { call, tenant } = world;
    for (const name of ['a', 'b']) tenant.addUser({ employeeId: name });
    const path = `/users?$filter=${encodeURIComponent("employeeId ne 'a'")}&$count=true`;
    expect((await call('GET', path)).status).toBe(400);
    expect((await call('GET', path, undefined, { ConsistencyLevel: 'eventual' })).body).toMatchObject({ '@odata.count': 1 });
  });

  test('pages follow each other, also when what ended one has gone', async () => {
    world = await emulated({ pageSize: 2 });
    const { call, tenant } = world;
    const users = [1, 2, 3, 4, 5].map(() => tenant.addUser().id);
    let page = await call('GET', '/users?$select=id');
    const seen = page.body.value?.map(({ id }) => id) ?? [];
    while (page.body['@odata.nextLink'] !== undefined) {
      tenant.deleteUser(String(seen.at(-1)));
      page = await call('GET', String(page.body['@odata.nextLink']));
      seen.push(...(page.body.value?.map(({ id }) => id) ?? []));
    }
    expect(seen).toEqual(users);
    expect((await call('GET', '/users?$top=1000')).status).toBe(400);
  });

  test('sessions are revoked as of now', async () => {
    world = await emulated();
    const { call, clock, tenant } = world;
    const { id } = tenant.addUser();
    clock.advance(60);
    expect(await call('POST', `/users/${id}/revokeSignInSessions`)).toMatchObject({ status: 200, body: { value: true } });
    expect(tenant.user(id)?.signInSessionsValidFromDateTime).toBe('2026-11-23T12:01:00Z');
  });
});
