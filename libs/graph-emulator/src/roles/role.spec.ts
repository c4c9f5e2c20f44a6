import { afterEach, describe, expect, test } from '@jest/globals';
import { emulated, everyPermission, type Emulated } from '../emulated.support.ts';
import type { GraphPermission } from '../token/permissions.ts';
import { secondsOf } from './duration.ts';
import { roleId, type BuiltInRole } from './role-templates.ts';

let world: Emulated;
afterEach(() => world?.graph.stop());

const roles = '/roleManagement/directory';
const wanted = (principalId: string, role: BuiltInRole = 'Reports Reader') => ({
  principalId,
  roleDefinitionId: roleId(role),
  directoryScopeId: '/',
});
const scheduled = (principalId: string, more: Record<string, unknown> = {}, duration = 'PT1H') => ({
  ...wanted(principalId),
  action: 'adminAssign',
  scheduleInfo: { expiration: { type: 'afterDuration', duration } },
  ...more,
});
const listed = async (principalId: string, what = 'roleAssignments') => {
  const filter = encodeURIComponent(`principalId eq '${principalId}'`);
  return (await world.call('GET', `${roles}/${what}?$filter=${filter}`)).body.value ?? [];
};

describe('role assignments', () => {
  test('made once, listed, removed', async () => {
    world = await emulated();
    const { call, tenant } = world;
    const { id } = tenant.addUser();
    const made = await call('POST', `${roles}/roleAssignments`, wanted(id));
    expect(made.status).toBe(201);
    expect(await call('POST', `${roles}/roleAssignments`, wanted(id))).toMatchObject({
      status: 400,
      body: { error: { code: 'Request_BadRequest', details: [{ code: 'ConflictingObjects' }] } },
    });
    expect(await listed(id)).toHaveLength(1);
    expect((await call('DELETE', `${roles}/roleAssignments/${String(made.body['id'])}`)).status).toBe(204);
    expect(await listed(id)).toEqual([]);
    expect(tenant.roleAssignments(id)).toEqual([]);
  });

  test.each<[string, (ids: { user: string }) => object, number]>([
    ['an unknown role', ({ user }) => ({ ...wanted(user), roleDefinitionId: 'no-such-role' }), 404],
    ['an unknown principal', () => wanted('no-such-user'), 404],
    ['an unknown unit', ({ user }) => ({ ...wanted(user), directoryScopeId: '/administrativeUnits/no-such-unit' }), 404],
    ['an unknown application', ({ user }) => ({ ...wanted(user), directoryScopeId: '/no-such-app' }), 404],
    ['no scope', ({ user }) => ({ ...wanted(user), directoryScopeId: undefined }), 400],
  ])('%s is refused', async (_, body, status) => {
    world = await emulated();
    expect((await world.call('POST', `${roles}/roleAssignments`, body({ user: world.tenant.addUser().id }))).status).toBe(status);
  });

  test('scopes: a unit and an application that are there', async () => {
    world = await emulated();
    const { call, tenant, app } = world;
    const { id } = tenant.addUser();
    for (const directoryScopeId of [`/administrativeUnits/${tenant.addAdministrativeUnit('Branch').id}`, `/${app.applicationId}`]) {
      expect((await call('POST', `${roles}/roleAssignments`, { ...wanted(id), directoryScopeId })).status).toBe(201);
    }
  });
});

describe('time-bound assignments', () => {
  test('end by themselves, everywhere at once', async () => {
    world = await emulated();
    const { call, clock, tenant } = world;
    const { id } = tenant.addUser();
    const made = await call('POST', `${roles}/roleAssignmentScheduleRequests`, scheduled(id));
    expect(made).toMatchObject({ status: 201, body: { status: 'Provisioned', action: 'adminAssign' } });
    for (const what of ['roleAssignments', 'roleAssignmentSchedules', 'roleAssignmentScheduleInstances'])
      expect(await listed(id, what)).toHaveLength(1);
    clock.advance(3600);
    for (const what of ['roleAssignments', 'roleAssignmentSchedules', 'roleAssignmentScheduleInstances'])
      expect(await listed(id, what)).toEqual([]);
  });

  test('are prolonged, and removed after five minutes', async () => {
    world = await emulated();
    const { call, clock, tenant } = world;
    const { id } = tenant.addUser();
    const post = (more: Record<string, unknown>, duration?: string) =>
      call('POST', `${roles}/roleAssignmentScheduleRequests`, scheduled(id, more, duration));
    await post({});
    expect((await post({ action: 'adminExtend' }, 'PT2H')).status).toBe(201);
    expect(tenant.roleAssignments(id)).toMatchObject([{ endsAt: '2026-11-23T14:00:00Z' }]);
    expect(await post({ action: 'adminRemove' })).toMatchObject({ status: 400, body: { error: { code: 'ActiveDurationTooShort' } } });
    clock.advance(300);
    expect(await post({ action: 'adminRemove' })).toMatchObject({ status: 201, body: { status: 'Revoked' } });
    expect(tenant.roleAssignments(id)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string, number]>([
    ['no P2', { licences: 'P1' }, 'AadPremiumLicenseRequired', 400],
    ['longer than allowed', { pimPolicy: { maximumDurationSeconds: 1800 } }, 'RoleAssignmentRequestPolicyValidationFailed', 400],
    ['no reason', { pimPolicy: { justificationRequired: true } }, 'RoleAssignmentRequestPolicyValidationFailed', 400],
    ['no ticket', { pimPolicy: { ticketRequired: true } }, 'RoleAssignmentRequestPolicyValidationFailed', 400],
  ])('%s is refused', async (_, tenant, code, status) => {
    world = await emulated({ tenant });
    const { id } = world.tenant.addUser();
    expect(await world.call('POST', `${roles}/roleAssignmentScheduleRequests`, scheduled(id))).toMatchObject({
      status,
      body: { error: { code } },
    });
    expect(world.tenant.roleAssignments(id)).toEqual([]);
  });

  test('keep their reason and ticket, which the rules can demand', async () => {
    world = await emulated({ tenant: { pimPolicy: { justificationRequired: true, ticketRequired: true } } });
    const { call, tenant } = world;
    const { id } = tenant.addUser();
    const path = `${roles}/roleAssignmentScheduleRequests`;
    const justification = 'A new mailbox';
    const ticketInfo = { ticketNumber: 'T-1', ticketSystem: 'PSA' };
    for (const lacking of [{ ticketInfo }, { justification }, { justification, ticketInfo: { ticketSystem: 'PSA' } }])
      expect((await call('POST', path, scheduled(id, lacking))).body.error?.code).toBe('RoleAssignmentRequestPolicyValidationFailed');
    expect((await call('POST', path, scheduled(id, { justification, ticketInfo: { ticketNumber: 1 } }))).status).toBe(400);
    const made = await call('POST', path, scheduled(id, { justification, ticketInfo }));
    expect(made).toMatchObject({ status: 201, body: { justification, ticketInfo } });
    expect(await call('GET', `${path}/${String(made.body['id'])}`)).toMatchObject({ status: 200, body: { justification, ticketInfo } });
    expect(tenant.roleRequests(id)).toMatchObject([{ justification, ...ticketInfo }]);
  });

  test.each<[string, (id: string) => object, string]>([
    ['one that exists', (id) => scheduled(id), 'RoleAssignmentExists'],
    ['four minutes', (id) => scheduled(id, { ...wanted(id, 'Global Reader') }, 'PT4M'), 'ActiveDurationTooShort'],
    [
      'removing what is not there',
      (id) => scheduled(id, { ...wanted(id, 'Global Reader'), action: 'adminRemove' }),
      'RoleAssignmentDoesNotExist',
    ],
    ['an unknown person', () => scheduled('no-such-user'), 'SubjectNotFound'],
    ['what only a person may ask for', (id) => scheduled(id, { action: 'selfActivate' }), 'Request_BadRequest'],
  ])('%s is refused', async (_, body, code) => {
    world = await emulated();
    const { id } = world.tenant.addUser();
    world.tenant.assignRole(id, 'Reports Reader');
    expect((await world.call('POST', `${roles}/roleAssignmentScheduleRequests`, body(id))).body.error?.code).toBe(code);
  });
});

describe('permissions', () => {
  test.each<[GraphPermission, string, string]>([
    ['User.ReadWrite.All', 'POST', '/users'],
    ['User.Read.All', 'GET', '/users'],
    ['Group.Read.All', 'GET', '/groups'],
    ['RoleManagement.ReadWrite.Directory', 'POST', `${roles}/roleAssignments`],
    ['RoleManagement.Read.Directory', 'GET', `${roles}/roleDefinitions`],
    ['RoleAssignmentSchedule.ReadWrite.Directory', 'POST', `${roles}/roleAssignmentScheduleRequests`],
    [
      'Policy.Read.AuthenticationMethod',
      'GET',
      '/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass',
    ],
    ['Organization.Read.All', 'GET', '/organization'],
    ['Domain.Read.All', 'GET', '/domains'],
    ['Application.Read.All', 'GET', '/servicePrincipals'],
    ['UserAuthenticationMethod.ReadWrite.All', 'POST', '/users/{id}/authentication/temporaryAccessPassMethods'],
    ['User.RevokeSessions.All', 'POST', '/users/{id}/revokeSignInSessions'],
    ['User.DeleteRestore.All', 'DELETE', '/users/{id}'],
  ])('%s opens %s %s, another permission does not', async (permission, method, path) => {
    world = await emulated({ app: { permissions: [permission] } });
    const { id } = world.tenant.addUser();
    const at = path.replace('{id}', id);
    const body = method === 'POST' ? {} : undefined;
    expect((await world.call(method, at, body)).status).not.toBe(403);
    await world.graph.stop();
    world = await emulated({ app: { permissions: ['AdministrativeUnit.Read.All'] } });
    expect(await world.call(method, at, body)).toMatchObject({ status: 403, body: { error: { code: 'Authorization_RequestDenied' } } });
  });

  const enable = { accountEnabled: true };
  const reset = { passwordProfile: { password: 'An0ther-Passw0rt!' } };
  test.each<[BuiltInRole | null, BuiltInRole | 'GROUP' | null, object, number]>([
    [null, null, enable, 204],
    [null, 'Reports Reader', enable, 204],
    [null, 'Global Administrator', enable, 403],
    ['User Administrator', 'Exchange Administrator', enable, 403],
    ['Privileged Authentication Administrator', 'Global Administrator', enable, 204],
    ['Global Administrator', 'Privileged Role Administrator', enable, 204],
    [null, 'GROUP', enable, 403],
    [null, null, reset, 403],
    ['User Administrator', null, reset, 204],
    ['User Administrator', 'Global Administrator', reset, 403],
    ['Privileged Authentication Administrator', 'Global Administrator', reset, 204],
    [null, 'Global Administrator', { displayName: 'x' }, 204],
  ])('an app with %s, a user with %s: %j is %i', async (appRole, userRole, change, status) => {
    world = await emulated({ app: { permissions: everyPermission, directoryRoles: appRole === null ? [] : [appRole] } });
    const { tenant, call } = world;
    const { id } = tenant.addUser();
    if (userRole === 'GROUP') tenant.addGroup({ displayName: 'Admins', members: [id], isAssignableToRole: true });
    else if (userRole !== null) tenant.assignRole(id, userRole);
    expect((await call('PATCH', `/users/${id}`, change)).status).toBe(status);
  });

  test('a role that a group gives makes an administrator too', async () => {
    world = await emulated({ app: { permissions: everyPermission, directoryRoles: [] } });
    const { tenant, call } = world;
    const { id } = tenant.addUser();
    const inner = tenant.addGroup({ displayName: 'Inner', members: [id] });
    tenant.assignRole(tenant.addGroup({ displayName: 'Outer', members: [inner.id] }).id, 'Global Administrator');
    expect((await call('DELETE', `/users/${id}`)).status).toBe(403);
    expect((await call('POST', `/users/${id}/authentication/temporaryAccessPassMethods`, {})).status).toBe(403);
  });
});

test.each([
  ['PT4H', 14_400],
  ['P1DT30M', 88_200],
  ['PT90S', 90],
  ['P', null],
  ['PT', null],
  ['4h', null],
])('the duration %s has %p seconds', (duration, seconds) => {
  expect(secondsOf(duration)).toBe(seconds);
});
