import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { emulated, newUser, type Emulated } from '../emulated.support.ts';
import type { Exchange } from '../http/exchange.ts';
import { roleId } from '../roles/role-templates.ts';
import { exchangeProblems, hasMetadata, metadataFile } from './exchange-guard.ts';
import { readCsdl } from './read-csdl.ts';
import { validateExchange } from './validate-exchange.ts';

const exchange = (method: string, url: string, more: Partial<Exchange> = {}): Exchange => ({
  ...{ at: new Date(0), method, url: `/v1.0${url}`, requestHeaders: {}, requestBody: undefined },
  ...{ status: 200, responseHeaders: {}, responseBody: undefined, batched: false },
  ...more,
});

if (hasMetadata()) {
  describe("Microsoft's description", () => {
    let world: Emulated;
    beforeAll(async () => {
      world = await emulated({ pageSize: 2 });
    });
    afterAll(() => world.graph.stop());

    test('is read in less than ten seconds, and once', () => {
      const startedAt = performance.now();
      const csdl = readCsdl(metadataFile);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      expect(readCsdl(metadataFile)).toBe(csdl);
      expect(csdl.isA('microsoft.graph.user', 'microsoft.graph.directoryObject')).toBe(true);
    });

    // Every endpoint of the emulator, in an order in which each finds what it needs.
    test('every endpoint: requests and answers fit', async () => {
      const { call, tenant, app, graph } = world;
      const inner = tenant.addUser({ displayName: 'Inner' });
      const innerGroup = tenant.addGroup({ displayName: 'Inner', members: [inner.id] });
      const group = tenant.addGroup({ displayName: 'Outer', members: [innerGroup.id] });
      const unit = tenant.addAdministrativeUnit('Branch');
      const custom = tenant.addCustomRole('Of our own');
      const { id } = (await call('POST', '/users', newUser(tenant, { employeeId: 'grant-1' }))).body;
      const user = `/users/${String(id)}`;
      const principalId = String(id);
      const roles = '/roleManagement/directory';
      const granted = { principalId, roleDefinitionId: roleId('Reports Reader'), directoryScopeId: '/' };
      const made = await call('POST', `${roles}/roleAssignments`, { ...granted, directoryScopeId: `/administrativeUnits/${unit.id}` });
      const scheduled = await call('POST', `${roles}/roleAssignmentScheduleRequests`, {
        ...granted,
        action: 'adminAssign',
        justification: 'a ticket',
        scheduleInfo: { startDateTime: '2026-11-23T12:00:00Z', expiration: { type: 'afterDuration', duration: 'PT4H' } },
        ticketInfo: { ticketNumber: '4711', ticketSystem: 'PSA' },
      });
      const pass = await call('POST', `${user}/authentication/temporaryAccessPassMethods`, { lifetimeInMinutes: 60, isUsableOnce: true });
      const reset = { passwordProfile: { password: 'An0ther-Passw0rt!', forceChangePasswordNextSignIn: false } };
      const ref = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${principalId}` };
      const all: [method: string, path: string, body?: unknown, headers?: Record<string, string>][] = [
        ['GET', '/organization'],
        ['GET', `/organization/${tenant.id}`],
        ['GET', '/domains'],
        ['GET', '/subscribedSkus'],
        ['GET', `/servicePrincipals?$filter=${encodeURIComponent(`appId eq '${app.clientId}'`)}`],
        ['GET', `/servicePrincipals(appId='${app.clientId}')`],
        ['GET', `/servicePrincipals/${app.servicePrincipalId}`],
        ['GET', `/servicePrincipals/${app.servicePrincipalId}/appRoleAssignments`],
        ['GET', `/servicePrincipals(appId='${app.clientId}')/appRoleAssignments`],
        ['GET', `/servicePrincipals/${app.servicePrincipalId}/memberOf`],
        ['GET', `/servicePrincipals/${app.servicePrincipalId}/transitiveMemberOf`],
        ['GET', `/applications(appId='${app.clientId}')?$select=id,keyCredentials,passwordCredentials`],
        ['PATCH', `/applications(appId='${app.clientId}')`, { keyCredentials: [] }],
        ['GET', `/applications/${app.applicationId}`],
        ['GET', '/directory/administrativeUnits'],
        ['GET', '/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass'],
        ['GET', `/users?$filter=${encodeURIComponent("startswith(userPrincipalName,'jit-')")}&$select=id,employeeId,accountEnabled&$top=1`],
        ['GET', '/users?$count=true', undefined, { ConsistencyLevel: 'eventual' }],
        ['GET', '/users?$select=id,lastPasswordChangeDateTime,signInSessionsValidFromDateTime,userType,createdDateTime'],
        ['GET', user],
        ['GET', '/users/delta?$select=displayName,accountEnabled'],
        ['GET', '/users/delta()'],
        ['GET', '/users/delta?$deltatoken=latest'],
        ['GET', '/groups/delta?$select=displayName,members'],
        ['GET', '/groups'],
        ['GET', `/groups/${group.id}`],
        ['GET', `/groups/${group.id}/members`],
        ['GET', `/groups/${group.id}/transitiveMembers?$select=id,displayName,userPrincipalName`],
        ['GET', `/groups/${group.id}/members/microsoft.graph.user`],
        ['GET', `/groups/${group.id}/transitiveMembers/microsoft.graph.user?$select=id,mail&$top=999`],
        ['POST', `/groups/${group.id}/members/$ref`, ref],
        ['DELETE', `/groups/${group.id}/members/${principalId}/$ref`],
        ['GET', `${roles}/roleDefinitions`],
        ['GET', `${roles}/roleDefinitions/${custom.id}`],
        ['GET', `${roles}/roleAssignments?$filter=${encodeURIComponent(`principalId eq '${principalId}'`)}`],
        ['GET', `${roles}/roleAssignments/${String(made.body['id'])}`],
        ['GET', `${roles}/roleAssignmentScheduleRequests/${String(scheduled.body['id'])}`],
        ['GET', `${roles}/roleAssignmentScheduleRequests`],
        ['GET', `${roles}/roleAssignmentSchedules?$filter=${encodeURIComponent(`principalId eq '${principalId}'`)}`],
        ['GET', `${roles}/roleAssignmentScheduleInstances?$filter=${encodeURIComponent(`principalId eq '${principalId}'`)}`],
        ['DELETE', `${roles}/roleAssignments/${String(made.body['id'])}`],
        ['GET', `${user}/authentication/temporaryAccessPassMethods`],
        ['GET', `${user}/authentication/temporaryAccessPassMethods/${String(pass.body['id'])}`],
        ['DELETE', `${user}/authentication/temporaryAccessPassMethods/${String(pass.body['id'])}`],
        ['PATCH', user, { accountEnabled: false }],
        ['PATCH', user, reset],
        ['POST', `${user}/revokeSignInSessions`],
        ['POST', '/$batch', { requests: [{ id: '1', method: 'GET', url: user }] }],
        ['DELETE', user],
        ['GET', '/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime'],
        ['GET', `/directory/deletedItems/${principalId}`],
        ['POST', `/directory/deletedItems/${principalId}/restore`],
        ['DELETE', user],
        ['DELETE', `/directory/deletedItems/${principalId}`],
      ];
      const failed: string[] = [];
      for (const [method, path, body, headers] of all) {
        const { status, body: answer } = await call(method, path, body, headers);
        if (status >= 400) failed.push(`${method} ${path}: ${status} ${answer.error?.message ?? ''}`);
      }
      expect(failed).toEqual([]);
      expect(graph.exchanges.length).toBeGreaterThan(all.length);
      expect(exchangeProblems(graph)).toEqual([]);
    });

    const user = { id: 'a', displayName: 'Jit' };
    test.each<[string, Exchange, RegExp]>([
      ['an unknown set', exchange('GET', '/userz', { responseBody: { value: [] } }), /no "userz" at the root/],
      ['an unknown segment', exchange('GET', '/users/a/passes'), /no "passes" at microsoft.graph.user/],
      [
        'a cast to another family',
        exchange('GET', '/groups/a/members/microsoft.graph.passwordProfile'),
        /no "microsoft.graph.passwordProfile"/,
      ],
      ['a function of another type', exchange('GET', '/domains/delta()'), /no "delta\(\)"/],
      ['a key that is none', exchange('GET', "/applications(displayName='x')"), /displayName/],
      ['$select of an unknown property', exchange('GET', '/users?$select=colour', { responseBody: { value: [] } }), /\$select/],
      ['$filter of an unknown property', exchange('GET', "/users?$filter=colour eq 'x'", { responseBody: { value: [] } }), /\$filter/],
      ['$expand of a property', exchange('GET', '/users?$expand=displayName', { responseBody: { value: [] } }), /\$expand/],
      ['an unknown query option', exchange('GET', '/users?$limit=2', { responseBody: { value: [] } }), /\$limit/],
      ['a method that does not fit', exchange('DELETE', '/users', { status: 204 }), /method/],
      ['an unknown property sent', exchange('PATCH', '/users/a', { status: 204, requestBody: { colour: 'x' } }), /no property "colour"/],
      ['a wrong type sent', exchange('PATCH', '/users/a', { status: 204, requestBody: { accountEnabled: 'no' } }), /no Edm.Boolean/],
      [
        'a wrong member of an enum sent',
        exchange('POST', '/roleManagement/directory/roleAssignmentScheduleRequests', {
          status: 204,
          requestBody: { action: 'adminGive' },
        }),
        /unifiedRoleScheduleRequestActions/,
      ],
      [
        'a duration that is none',
        exchange('POST', '/roleManagement/directory/roleAssignmentScheduleRequests', {
          status: 204,
          requestBody: { scheduleInfo: { expiration: { duration: '4h' } } },
        }),
        /Edm.Duration/,
      ],
      [
        'a parameter that is none',
        exchange('POST', '/users/a/revokeSignInSessions', { requestBody: { now: true }, responseBody: { value: true } }),
        /no parameter/,
      ],
      [
        'a reference without an address',
        exchange('POST', '/groups/a/members/$ref', { status: 204, requestBody: { id: 'b' } }),
        /@odata.id/,
      ],
      ['an unknown property answered', exchange('GET', '/users/a', { responseBody: { ...user, isPrivileged: true } }), /isPrivileged/],
      [
        'null where there is always a value',
        exchange('GET', '/domains/a', { responseBody: { id: 'a', isDefault: null } }),
        /may not be null/,
      ],
      ['one in place of a list', exchange('GET', '/users', { responseBody: user }), /displayName/],
      [
        'an abstract type that is not named',
        exchange('GET', '/users/a/authentication/methods/b', { responseBody: { id: 'b' } }),
        /does not say which/,
      ],
      ['an error in another shape', exchange('GET', '/users', { status: 404, responseBody: { message: 'no' } }), /shape/],
      [
        'two equal ids in a batch',
        exchange('POST', '/$batch', { requestBody: { requests: [1, 2].map(() => ({ id: '1', method: 'GET', url: '/a' })) } }),
        /unique/,
      ],
    ])('%s is found', (_, wrong, said) => {
      const problems = validateExchange(readCsdl(metadataFile), wrong);
      expect(problems.join('\n')).toMatch(said);
    });

    test('values are never told: they may be secrets', () => {
      const wrong = exchange('PATCH', '/users/a', {
        status: 204,
        requestBody: { passwordProfile: { password: 4711, forceChange: 'hunter2' } },
      });
      expect(validateExchange(readCsdl(metadataFile), wrong)).toHaveLength(2);
      expect(validateExchange(readCsdl(metadataFile), wrong).join()).not.toMatch(/4711|hunter2/);
    });

    test('other requests than those of Graph pass', () => {
      expect(validateExchange(readCsdl(metadataFile), { ...exchange('POST', ''), url: '/login/a/oauth2/v2.0/token' })).toEqual([]);
    });
  });
} else {
  test('Microsoft Graph metadata is absent: not run', async () => {
    const { graph } = await emulated();
    expect(exchangeProblems(graph)).toEqual([]);
    await graph.stop();
  });
}
