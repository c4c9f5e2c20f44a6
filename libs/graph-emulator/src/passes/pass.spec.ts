import { afterEach, describe, expect, test } from '@jest/globals';
import { emulated, type Emulated } from '../emulated.support.ts';

let world: Emulated;
afterEach(() => world.graph.stop());

const makePass = (userId: string, body: object = {}) =>
  world.call('POST', `/users/${userId}/authentication/temporaryAccessPassMethods`, body);

describe('Temporary Access Passes', () => {
  test('the value is told once; a second pass replaces the first', async () => {
    world = await emulated();
    const { call, tenant } = world;
    const { id, userPrincipalName: upn } = tenant.addUser();
    const first = String((await makePass(id, { lifetimeInMinutes: 60 })).body['temporaryAccessPass']);
    expect(first).toHaveLength(8);
    const path = `/users/${id}/authentication/temporaryAccessPassMethods`;
    expect((await call('GET', path)).body.value).toMatchObject([
      { temporaryAccessPass: null, isUsable: true, methodUsabilityReason: 'EnabledByPolicy' },
    ]);
    const second = String((await makePass(id)).body['temporaryAccessPass']);
    expect(tenant.passes(id)).toHaveLength(1);
    expect(tenant.signIn({ upn, pass: first })).toMatchObject({ signedIn: false, reason: 'WRONG_CREDENTIAL' });
    expect(tenant.signIn({ upn, pass: second })).toMatchObject({ signedIn: true });
  });

  test.each<[string, object, object]>([
    ['shorter than the policy allows', {}, { lifetimeInMinutes: 59 }],
    ['longer than the policy allows', {}, { lifetimeInMinutes: 481 }],
    ['a lifetime that is no whole number', {}, { lifetimeInMinutes: 60.5 }],
    ['for many uses where the policy wants one', { isUsableOnce: true }, { isUsableOnce: false }],
    ['while the policy is off', { state: 'disabled' }, {}],
  ])('%s is refused', async (_, tapPolicy, body) => {
    world = await emulated({ tenant: { tapPolicy } });
    const { id } = world.tenant.addUser();
    expect((await makePass(id, body)).status).toBe(400);
    expect(world.tenant.passes(id)).toEqual([]);
  });

  test('the policy is read, with whom it is for', async () => {
    world = await emulated();
    const group = world.tenant.addGroup({ displayName: 'Jit' });
    world.tenant.configure({ tapPolicy: { includedGroupIds: [group.id], maximumLifetimeInMinutes: 240 } });
    const path = '/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass';
    expect((await world.call('GET', path)).body).toMatchObject({
      ...{ state: 'enabled', minimumLifetimeInMinutes: 60, maximumLifetimeInMinutes: 240 },
      includeTargets: [{ id: group.id, targetType: 'group' }],
    });
  });
});

describe('signing in at a portal', () => {
  const password = 'Initial-Passw0rt!';

  test.each<[string, string, (id: string) => object]>([
    ['a disabled account', 'DISABLED', (id) => (world.tenant.changeUser(id, { accountEnabled: false }), { password })],
    ['a deleted account', 'UNKNOWN_USER', (id) => (world.tenant.deleteUser(id), { password })],
    ['a wrong password', 'WRONG_CREDENTIAL', () => ({ password: 'wrong' })],
    ['a password alone', 'MFA_REQUIRED', () => ({ password })],
  ])('%s: %s', async (_, reason, given) => {
    world = await emulated();
    const { id, userPrincipalName: upn } = world.tenant.addUser({ password });
    expect(world.tenant.signIn({ upn, ...given(id) })).toMatchObject({ signedIn: false, reason });
  });

  test('with a second factor of one’s own a password is enough', async () => {
    world = await emulated();
    const { userPrincipalName: upn } = world.tenant.addUser({ password, mfaRegistered: true });
    expect(world.tenant.signIn({ upn, password })).toMatchObject({ signedIn: true, sessionEndsAt: null });
  });

  test.each<[string, string | null, (world: Emulated) => void, object]>([
    ['at once', null, () => undefined, {}],
    ['after its end', 'EXPIRED', ({ clock }) => clock.advance(3600), {}],
    ['before its start', 'EXPIRED', () => undefined, { startDateTime: '2026-11-23T13:00:00Z' }],
    ['after the policy was turned off', 'NOT_IN_POLICY', ({ tenant }) => tenant.configure({ tapPolicy: { state: 'disabled' } }), {}],
    [
      'outside of the policy’s groups',
      'NOT_IN_POLICY',
      ({ tenant }) => tenant.configure({ tapPolicy: { includedGroupIds: ['none'] } }),
      {},
    ],
  ])('with a pass %s: %p', async (_, reason, before, body) => {
    world = await emulated();
    const { id, userPrincipalName: upn } = world.tenant.addUser();
    world.tenant.assignRole(id, 'Global Reader');
    const pass = String((await makePass(id, body)).body['temporaryAccessPass']);
    before(world);
    expect(world.tenant.signIn({ upn, pass })).toMatchObject(
      reason === null
        ? { signedIn: true, sessionEndsAt: new Date('2026-11-23T13:00:00Z'), roleDefinitionIds: ['f2ef992c-3afb-46b9-b7cf-a126ee74c451'] }
        : { signedIn: false, reason },
    );
  });

  test('a pass for one use opens once', async () => {
    world = await emulated();
    const { id, userPrincipalName: upn } = world.tenant.addUser();
    const pass = String((await makePass(id, { isUsableOnce: true })).body['temporaryAccessPass']);
    expect(world.tenant.signIn({ upn, pass })).toMatchObject({ signedIn: true });
    expect(world.tenant.signIn({ upn, pass })).toMatchObject({ signedIn: false, reason: 'USED' });
  });

  test('from another process it goes over HTTP, and leaves no secret among the exchanges', async () => {
    world = await emulated();
    const { graph, tenant } = world;
    const { id, userPrincipalName: upn } = tenant.addUser();
    const pass = String((await makePass(id, { isUsableOnce: true })).body['temporaryAccessPass']);
    const signIn = async (body: Record<string, string>, tenantId = tenant.id) => {
      const response = await fetch(`${graph.loginUrl}/${tenantId}/portal`, { method: 'POST', body: new URLSearchParams(body) });
      return [response.status, await response.json()] as [number, unknown];
    };
    expect(await signIn({ upn, pass })).toMatchObject([200, { signedIn: true, userId: id }]);
    expect(await signIn({ upn, pass })).toMatchObject([401, { signedIn: false, reason: 'USED' }]);
    expect(await signIn({ upn, password: 'wrong' })).toMatchObject([401, { reason: 'WRONG_CREDENTIAL' }]);
    expect(await signIn({ upn, pass }, 'nobody')).toMatchObject([404, {}]);
    expect(graph.exchanges.filter(({ url }) => url.endsWith('/portal')).map(({ requestBody }) => requestBody)).toContainEqual({ upn });
  });
});
