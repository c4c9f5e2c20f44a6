import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { emulated, newUser, secret, type Emulated } from '../emulated.support.ts';
import { GraphEmulator } from '../graph-emulator.ts';
import { roleId } from '../roles/role-templates.ts';

let world: Emulated;
const folder = mkdtempSync(join(tmpdir(), 'stint-graph-'));
afterEach(() => world.graph.stop());
afterAll(() => rmSync(folder, { recursive: true }));

describe('late consistency', () => {
  const granted = (principalId: string) => ({ principalId, roleDefinitionId: roleId('Reports Reader'), directoryScopeId: '/' });

  test.each<[string, (id: string) => [method: string, path: string, body?: object], number, string]>([
    ['reading', (id) => ['GET', `/users/${id}`], 404, 'Request_ResourceNotFound'],
    ['changing', (id) => ['PATCH', `/users/${id}`, { displayName: 'x' }], 404, 'Request_ResourceNotFound'],
    ['a pass', (id) => ['POST', `/users/${id}/authentication/temporaryAccessPassMethods`, {}], 404, 'Request_ResourceNotFound'],
    ['a role', (id) => ['POST', '/roleManagement/directory/roleAssignments', granted(id)], 404, 'Request_ResourceNotFound'],
    [
      'a role for a time',
      (id) => ['POST', '/roleManagement/directory/roleAssignmentScheduleRequests', { ...granted(id), action: 'adminAssign' }],
      ...([404, 'SubjectNotFound'] as const),
    ],
  ])('%s of a user who was just made fails, and then works', async (_, ask, status, code) => {
    world = await emulated({ consistency: { seconds: 60 } });
    const { call, tenant, clock } = world;
    const id = String((await call('POST', '/users', newUser(tenant))).body['id']);
    expect(tenant.user(id)).toBeDefined();
    expect(await call(...ask(id))).toMatchObject({ status, body: { error: { code } } });
    expect((await call('GET', '/users')).body.value).toEqual([]);
    clock.advance(60);
    expect((await call(...ask(id))).status).toBeLessThan(300);
  });

  test('a reference to a user who was just made is not valid yet', async () => {
    world = await emulated({ consistency: { reads: 1 } });
    const { call, tenant } = world;
    const group = tenant.addGroup({ displayName: 'Jit' });
    const id = String((await call('POST', '/users', newUser(tenant))).body['id']);
    const add = () => call('POST', `/groups/${group.id}/members/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/users/${id}` });
    expect(await add()).toMatchObject({ status: 400, body: { error: { code: 'Request_BadRequest' } } });
    expect((await add()).status).toBe(204);
  });

  test('so many reads miss a change, a new assignment, and its removal', async () => {
    world = await emulated();
    const { call, tenant, graph } = world;
    const { id } = tenant.addUser();
    graph.setConsistency({ reads: 2 });
    const enabled = async () => (await call('GET', `/users/${id}?$select=accountEnabled`)).body['accountEnabled'];
    await call('PATCH', `/users/${id}`, { accountEnabled: false });
    expect([await enabled(), await enabled(), await enabled()]).toEqual([true, true, false]);
    const count = async () =>
      (await call('GET', '/roleManagement/directory/roleAssignments')).body.value?.filter((one) => one['principalId'] === id).length;
    const made = await call('POST', '/roleManagement/directory/roleAssignments', granted(id));
    expect([await count(), await count(), await count()]).toEqual([0, 0, 1]);
    await call('DELETE', `/roleManagement/directory/roleAssignments/${String(made.body['id'])}`);
    expect([await count(), await count(), await count()]).toEqual([1, 1, 0]);
  });

  test('an administrator stays one for a while after the role is gone', async () => {
    world = await emulated({ app: { permissions: ['User.ReadWrite.All', 'RoleManagement.ReadWrite.Directory'], directoryRoles: [] } });
    const { call, tenant, graph, clock } = world;
    const { id } = tenant.addUser();
    const assignment = tenant.assignRole(id, 'Global Administrator');
    graph.setConsistency({ seconds: 30 });
    await call('DELETE', `/roleManagement/directory/roleAssignments/${assignment}`);
    expect((await call('PATCH', `/users/${id}`, { accountEnabled: false })).status).toBe(403);
    clock.advance(30);
    expect((await call('PATCH', `/users/${id}`, { accountEnabled: false })).status).toBe(204);
  });

  test('the same seed gives the same delays', async () => {
    const delays = async (seed: string) => {
      world = await emulated({ consistency: { seconds: 100, seed } });
      const { call, tenant, clock } = world;
      const id = String((await call('POST', '/users', newUser(tenant))).body['id']);
      let seconds = 0;
      for (; (await call('GET', `/users/${id}`)).status === 404; seconds += 1) clock.advance(1);
      await world.graph.stop();
      return seconds;
    };
    const [first, again, other] = [await delays('a'), await delays('a'), await delays('b')];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(first).toBeGreaterThanOrEqual(50);
    expect(first).toBeLessThanOrEqual(100);
  });
});

describe('the state file', () => {
  test('what was answered is there after a restart; tokens go on; nothing of it opens an account', async () => {
    const stateFile = join(folder, 'graph.json');
    world = await emulated({ stateFile });
    const { call, tenant, token, clock } = world;
    const made = await call('POST', '/users', newUser(tenant));
    const id = String(made.body['id']);
    const pass = String((await call('POST', `/users/${id}/authentication/temporaryAccessPassMethods`, {})).body['temporaryAccessPass']);
    const bearer = String((await token()).body['access_token']);
    const upn = String(made.body['userPrincipalName']);
    await world.graph.stop();

    const again = await GraphEmulator.start({ stateFile, clock });
    world = { ...world, graph: again };
    const read = await fetch(`${again.url}/v1.0/users/${id}`, { headers: { authorization: `Bearer ${bearer}` } });
    expect(read.status).toBe(200);
    expect(again.tenant({ id: tenant.id }).signIn({ upn, pass })).toMatchObject({ signedIn: true });
    const text = readFileSync(stateFile, 'utf8');
    for (const value of [secret, pass, 'Tr0ub4dor']) expect(text).not.toContain(value);
  });
});
