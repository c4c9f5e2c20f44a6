import { expect, test } from '@jest/globals';
import { credentialFaults, DirectoryError, type DirectoryErrorKind } from '../graph/directory-error.ts';
import { credentialError } from '../graph/token-failure.domain.ts';
import { credentialProblem, findProblems, knowledgeOf, type Readings } from './finding.domain.ts';
import { neededPermissions } from './permission.domain.ts';

const userAdministrator = 'fe930be7-5e62-47db-91af-98c3a49a38b1';
const privilegedAuthenticationAdministrator = '7be44c8a-adaf-4e2a-84d6-ab2649e08a13';
const globalAdministrator = '62e90394-69f5-4237-9190-012177145e10';
const holding = (roleDefinitionId: string, scope = '/') => ({
  ...{ id: 'a', principalId: 'p', roleDefinitionId, scope, kind: 'DIRECT' as const, endsAt: null },
});
const policy = {
  ...{ enabled: true, minimumMinutes: 60, maximumMinutes: 480, defaultMinutes: 60, onceOnly: false, groupIds: null, excludedGroupIds: [] },
};
const domain = { name: 'contoso.onmicrosoft.com', managed: true, initial: true, default: true };
const all = neededPermissions.map(({ name }) => name);
const good: Readings = {
  identity: { servicePrincipalId: 'p', entraTenantId: 't', permissions: all },
  ownRoles: [holding(userAdministrator), holding(privilegedAuthenticationAdministrator)],
  ...{ displayName: 'Contoso', domains: [domain], rolesCanEnd: true, passPolicy: policy },
};
const granted = (...permissions: string[]) => ({ identity: { ...good.identity, permissions } });
const without = (...names: string[]) => granted(...all.filter((name) => !names.includes(name)));
const failed = (kind: DirectoryErrorKind) => new DirectoryError({ kind, message: 'Because.' });

test.each<[string, Partial<Readings>, string[]]>([
  ['all as it should be', {}, []],
  ['one permission missing', without('User.ReadWrite.All'), ['! PERMISSION_MISSING User.ReadWrite.All']],
  ['one that is for convenience', without('Organization.Read.All'), ['PERMISSION_MISSING Organization.Read.All']],
  [
    'a broader one instead',
    granted(...all.filter((name) => name !== 'Policy.Read.AuthenticationMethod'), 'Policy.Read.All'),
    ['PERMISSION_NEEDLESS Policy.Read.All'],
  ],
  ['one too many', granted(...all, 'Mail.Read'), ['PERMISSION_NEEDLESS Mail.Read']],
  [
    'nothing granted',
    granted(),
    [...neededPermissions.filter(({ required }) => required), ...neededPermissions.filter(({ required }) => !required)].map(
      ({ name, required }) => `${required ? '! ' : ''}PERMISSION_MISSING ${name}`,
    ),
  ],
  [
    'no directory role',
    { ownRoles: [] },
    ['! DIRECTORY_ROLE_MISSING User Administrator', 'DIRECTORY_ROLE_MISSING Privileged Authentication Administrator'],
  ],
  [
    'a directory role for one administrative unit only',
    { ownRoles: [holding(globalAdministrator, '/administrativeUnits/1')] },
    ['! DIRECTORY_ROLE_MISSING User Administrator', 'DIRECTORY_ROLE_MISSING Privileged Authentication Administrator'],
  ],
  ['the lesser role only', { ownRoles: [holding(userAdministrator)] }, ['DIRECTORY_ROLE_MISSING Privileged Authentication Administrator']],
  ['the greatest role', { ownRoles: [holding(globalAdministrator)] }, []],
  ['federated domains only', { domains: [{ ...domain, managed: false }] }, ['! NO_MANAGED_DOMAIN']],
  ['passes off', { passPolicy: { ...policy, enabled: false } }, ['PASS_POLICY_OFF']],
  ['passes for some', { passPolicy: { ...policy, groupIds: ['g'] } }, ['PASS_POLICY_NARROW']],
  ['passes not for some', { passPolicy: { ...policy, excludedGroupIds: ['g'] } }, ['PASS_POLICY_NARROW']],
  ['no licence', { rolesCanEnd: false }, ['LICENCE_MISSING']],
  ['not allowed to read the licences', { rolesCanEnd: failed('FORBIDDEN') }, []],
  ['domains not readable for want of a permission', { domains: failed('FORBIDDEN') }, []],
  ['domains not readable as Microsoft is away', { domains: failed('UNAVAILABLE') }, ['UNREACHABLE']],
  ['domains not readable for a reason nobody knows', { domains: failed('INVALID') }, ['! UNREADABLE']],
])('%s', (_name, change, found) => {
  const problems = findProblems({ ...good, ...change });
  expect(problems.map(({ code, blocking, about }) => `${blocking ? '! ' : ''}${code}${about === null ? '' : ` ${about}`}`)).toEqual(found);
  for (const { message, nextStep } of problems) expect([message.length, nextStep.length].every((length) => length > 7)).toBe(true);
});

test.each(credentialFaults.map((fault) => [fault]))('no token because of %s is a problem of its own, with the next step', (fault) => {
  const problem = credentialProblem(credentialError(fault, 'AADSTS1'));
  expect(problem).toMatchObject({ code: fault === 'NOT_CONNECTED' ? 'NO_CREDENTIAL' : fault, blocking: true });
  expect(problem.message).toContain('AADSTS1');
  expect(problem.nextStep.length).toBeGreaterThan(30);
});

test('nobody could be asked: that blocks nothing', () => {
  expect(credentialProblem(failed('UNAVAILABLE'))).toMatchObject({ code: 'UNREACHABLE', blocking: false });
});

test('what is known of a tenant is what could be read', () => {
  expect(knowledgeOf(good)).toMatchObject({ displayName: 'Contoso', domains: [domain], rolesCanEnd: true, passes: 'EVERYBODY' });
  const nothing = {
    displayName: failed('FORBIDDEN'),
    domains: failed('FORBIDDEN'),
    rolesCanEnd: failed('FORBIDDEN'),
    passPolicy: failed('FORBIDDEN'),
  };
  expect(knowledgeOf({ ...good, ...nothing })).toMatchObject({ displayName: null, domains: [], rolesCanEnd: null, passes: null });
});
