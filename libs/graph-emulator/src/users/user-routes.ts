import { randomUUID } from 'node:crypto';
import { badRequest, forbidden, resourceNotFound, type Answer } from '../http/answer.ts';
import { bodyOf, booleanOf, invalidValue, stringOf, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import { checkMayResetPassword, checkMayTouch } from '../roles/role-holding.ts';
import type { TenantState, UserState } from '../state/state.ts';
import { hash, touch } from '../state/store.ts';
import { allows } from '../token/permissions.ts';
import { presentUser, userDefaults, userFilterable } from './present-user.ts';
import { checkNameIsFree, checkPassword, checkUserPrincipalName } from './user-rules.ts';

const settable = [
  'accountEnabled',
  'department',
  'displayName',
  'employeeId',
  'employeeType',
  'givenName',
  'jobTitle',
  'mailNickname',
  'onPremisesImmutableId',
  'surname',
  'usageLocation',
  'userPrincipalName',
  'userType',
] as const;

/** The user of a path, by id or by user principal name, as this read sees it. */
export function seenUser(call: Call): UserState {
  const user = findUser(call.tenant, call.params['user'] ?? '');
  const seen = user === undefined ? null : call.store.seen(call.tenant, user);
  if (seen === null || seen.deletedDateTime !== null) throw resourceNotFound(call.params['user'] ?? '');
  return seen;
}

/** The user of a path as it is, for a change; one that is too new is not found. */
export function userToChange(call: Call): UserState {
  const { id } = seenUser(call);
  const user = findUser(call.tenant, id);
  if (user === undefined || user.deletedDateTime !== null) throw resourceNotFound(id);
  return user;
}

function findUser(tenant: TenantState, key: string): UserState | undefined {
  const name = key.toLowerCase();
  return (
    tenant.users.find(({ id }) => id === name) ??
    tenant.users.find((user) => user.deletedDateTime === null && user.userPrincipalName.toLowerCase() === name)
  );
}

function createUser(call: Call): Answer {
  const body = bodyOf(call);
  const { tenant, store } = call;
  checkProperties(body);
  for (const property of ['accountEnabled', 'displayName', 'mailNickname', 'userPrincipalName', 'passwordProfile']) {
    if (body[property] === undefined || body[property] === null || body[property] === '') {
      throw badRequest(`A value is required for property '${property}' of resource 'User'.`, {
        target: property,
        detail: 'PropertyRequired',
      });
    }
  }
  const upn = stringOf(body, 'userPrincipalName') ?? '';
  const profile = passwordProfile(body);
  if (profile?.password == null)
    throw badRequest("A value is required for property 'passwordProfile' of resource 'User'.", {
      target: 'passwordProfile',
      detail: 'PropertyRequired',
    });
  checkUserPrincipalName(tenant, upn, stringOf(body, 'onPremisesImmutableId'));
  checkPassword(tenant, profile.password);
  checkNameIsFree(tenant, upn);
  const user = makeUser({
    id: randomUUID(),
    at: store.nowIso(),
    userPrincipalName: upn,
    displayName: stringOf(body, 'displayName') ?? '',
    password: profile.password,
  });
  Object.assign(user, valuesOf(body));
  user.forceChangePasswordNextSignIn = profile.forceChangePasswordNextSignIn ?? true;
  tenant.users.push(user);
  touch(tenant, user, Object.keys(presentUser(user)));
  store.unsettle(tenant, user.id, null);
  return entity(call, 'users', presentUser(user), userDefaults, 201);
}

/** A user with nothing special about it. */
export function makeUser(given: { id: string; at: string; userPrincipalName: string; displayName: string; password: string }): UserState {
  return {
    id: given.id,
    accountEnabled: true,
    displayName: given.displayName,
    givenName: null,
    surname: null,
    mail: null,
    mailNickname: given.userPrincipalName.split('@')[0] ?? '',
    userPrincipalName: given.userPrincipalName,
    userType: 'Member',
    employeeId: null,
    employeeType: null,
    jobTitle: null,
    department: null,
    usageLocation: null,
    onPremisesImmutableId: null,
    createdDateTime: given.at,
    deletedDateTime: null,
    lastPasswordChangeDateTime: given.at,
    signInSessionsValidFromDateTime: given.at,
    passwordHash: hash(given.password),
    forceChangePasswordNextSignIn: false,
    mfaRegistered: false,
    changed: {},
  };
}

function updateUser(call: Call): Answer {
  const body = bodyOf(call);
  const { store, tenant } = call;
  checkProperties(body);
  const user = userToChange(call);
  const may = (permissions: readonly string[]) => permissions.some((permission) => call.permissions.includes(permission));
  const sensitive = ['accountEnabled', 'passwordProfile', 'userPrincipalName', 'onPremisesImmutableId'].filter((name) => name in body);
  if (sensitive.length > 0) checkMayTouch(call, user.id);
  if ('accountEnabled' in body && !may(allows.enableUsers)) throw forbidden();
  if (Object.keys(body).some((name) => name !== 'accountEnabled' && name !== 'passwordProfile') && !may(allows.writeUsers))
    throw forbidden();
  const profile = passwordProfile(body);
  if (profile !== null) {
    if (!may(allows.resetPasswords)) throw forbidden();
    checkMayResetPassword(call);
    if (profile.password != null) checkPassword(tenant, profile.password);
  }
  const values = valuesOf(body);
  if (values.userPrincipalName !== undefined) {
    checkUserPrincipalName(tenant, values.userPrincipalName, values.onPremisesImmutableId ?? user.onPremisesImmutableId);
    checkNameIsFree(tenant, values.userPrincipalName, user.id);
  }
  store.unsettle(tenant, user.id, user);
  Object.assign(user, values);
  if (profile?.password != null) {
    user.passwordHash = hash(profile.password);
    user.lastPasswordChangeDateTime = store.nowIso();
    user.forceChangePasswordNextSignIn = profile.forceChangePasswordNextSignIn ?? true;
  }
  touch(tenant, user, [...Object.keys(values), ...(profile?.password == null ? [] : ['lastPasswordChangeDateTime'])]);
  return { status: 204 };
}

function checkProperties(body: Record<string, unknown>): void {
  const unknown = Object.keys(body).find(
    (name) => name !== 'passwordProfile' && !settable.some((one) => one === name) && !name.startsWith('@'),
  );
  if (unknown !== undefined) throw badRequest(`Property '${unknown}' is invalid or cannot be set.`);
}

function valuesOf(body: Record<string, unknown>): Partial<UserState> {
  const values: Record<string, unknown> = {};
  for (const property of settable) {
    if (!(property in body)) continue;
    values[property] = property === 'accountEnabled' ? booleanOf(body, property) : stringOf(body, property);
    const mustBe = ['accountEnabled', 'displayName', 'mailNickname', 'userPrincipalName'].includes(property);
    if (mustBe && (values[property] === null || values[property] === '')) throw invalidValue(property);
  }
  if (typeof values['employeeId'] === 'string' && values['employeeId'].length > 16) throw invalidValue('employeeId');
  return values as Partial<UserState>;
}

function passwordProfile(body: Record<string, unknown>): { password: string | null; forceChangePasswordNextSignIn: boolean | null } | null {
  const profile = body['passwordProfile'] ?? null;
  if (profile === null) return null;
  if (typeof profile !== 'object') throw invalidValue('passwordProfile');
  const given = profile as Record<string, unknown>;
  return { password: stringOf(given, 'password'), forceChangePasswordNextSignIn: booleanOf(given, 'forceChangePasswordNextSignIn') };
}

function deleteUser(call: Call): Answer {
  const { store, tenant } = call;
  const user = userToChange(call);
  checkMayTouch(call, user.id);
  store.unsettle(tenant, user.id, user);
  user.deletedDateTime = store.nowIso();
  tenant.passes = tenant.passes.filter(({ userId }) => userId !== user.id);
  tenant.roleAssignments = tenant.roleAssignments.filter(({ principalId }) => principalId !== user.id);
  for (const group of tenant.groups) {
    const member = group.members.find(({ id, removedIn }) => id === user.id && removedIn === null);
    if (member === undefined) continue;
    touch(tenant, group, ['members']);
    member.removedIn = tenant.step;
  }
  touch(tenant, user, ['deletedDateTime']);
  return { status: 204 };
}

function revokeSessions(call: Call): Answer {
  const { store, tenant } = call;
  const user = userToChange(call);
  user.signInSessionsValidFromDateTime = store.nowIso();
  touch(tenant, user, ['signInSessionsValidFromDateTime']);
  return { status: 200, body: { '@odata.context': `${call.root}/$metadata#Edm.Boolean`, value: true } };
}

/** Users that a list shows: those that are there as far as a read can see. */
export function listedUsers({ store, tenant }: Call): UserState[] {
  return tenant.users.flatMap((user) => store.seen(tenant, user) ?? []).filter(({ deletedDateTime }) => deletedDateTime === null);
}

export const userRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: '/users',
    permissions: allows.readUsers,
    cost: 2,
    handle: (call) =>
      list(call, listedUsers(call), {
        context: 'users',
        present: presentUser,
        defaults: userDefaults,
        filterable: userFilterable,
        maximumTop: 999,
      }),
  },
  { method: 'POST', pattern: '/users', permissions: allows.writeUsers, handle: createUser },
  {
    method: 'GET',
    pattern: '/users/{user}',
    permissions: allows.readUsers,
    handle: (call) => entity(call, 'users', presentUser(seenUser(call)), userDefaults),
  },
  { method: 'PATCH', pattern: '/users/{user}', permissions: allows.changeUsers, handle: updateUser },
  { method: 'DELETE', pattern: '/users/{user}', permissions: allows.deleteUsers, handle: deleteUser },
  { method: 'POST', pattern: '/users/{user}/revokeSignInSessions', permissions: allows.revokeSessions, handle: revokeSessions },
];
