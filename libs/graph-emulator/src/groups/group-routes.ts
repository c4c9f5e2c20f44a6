import type { Group } from '@microsoft/microsoft-graph-types';
import { badRequest, resourceNotFound, type Answer } from '../http/answer.ts';
import { bodyOf, stringOf, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import { checkMayTouch, groupsOf } from '../roles/role-holding.ts';
import type { GroupState, TenantState, UserState } from '../state/state.ts';
import { touch } from '../state/store.ts';
import { allows } from '../token/permissions.ts';
import { presentUser, userDefaults, userFilterable } from '../users/present-user.ts';

export const groupDefaults = [
  ...['id', 'createdDateTime', 'deletedDateTime', 'description', 'displayName', 'groupTypes', 'isAssignableToRole', 'mail'],
  ...['mailEnabled', 'mailNickname', 'onPremisesSyncEnabled', 'securityEnabled', 'visibility'],
];
const filterable = ['id', 'displayName', 'mailNickname', 'securityEnabled', 'mailEnabled', 'isAssignableToRole', 'createdDateTime'];

export function presentGroup(group: GroupState): Group & Record<string, unknown> {
  return {
    id: group.id,
    createdDateTime: group.createdDateTime,
    deletedDateTime: null,
    description: group.description,
    displayName: group.displayName,
    groupTypes: [],
    isAssignableToRole: group.isAssignableToRole,
    mail: null,
    mailEnabled: false,
    mailNickname: group.mailNickname,
    onPremisesSyncEnabled: null,
    securityEnabled: true,
    visibility: null,
  } satisfies Group;
}

function groupOf(call: Call): GroupState {
  const id = call.params['group'] ?? '';
  const group = call.tenant.groups.find((one) => one.id === id);
  if (group === undefined) throw resourceNotFound(id);
  return group;
}

/** Ids of those who are members, directly or (transitive) also through groups. */
function memberIds(tenant: TenantState, group: GroupState, transitive: boolean): string[] {
  const found = new Set<string>();
  const walk = (one: GroupState) => {
    for (const { id, removedIn } of one.members) {
      if (removedIn !== null || found.has(id)) continue;
      found.add(id);
      const inner = tenant.groups.find((group) => group.id === id);
      if (transitive && inner !== undefined) walk(inner);
    }
  };
  walk(group);
  return [...found];
}

function membersOf(call: Call, transitive: boolean) {
  const { store, tenant } = call;
  const ids = new Set(memberIds(tenant, groupOf(call), transitive));
  const users = tenant.users
    .filter(({ id, deletedDateTime }) => ids.has(id) && deletedDateTime === null)
    .flatMap((user) => store.seen(tenant, user) ?? []);
  return { users, groups: tenant.groups.filter(({ id }) => ids.has(id)) };
}

function listMembers(transitive: boolean) {
  return (call: Call): Answer => {
    const { users, groups } = membersOf(call, transitive);
    const typed = [
      ...users.map((user) => ({ '@odata.type': '#microsoft.graph.user', ...presentUser(user) })),
      ...groups.map((group) => ({ '@odata.type': '#microsoft.graph.group', ...presentGroup(group) })),
    ];
    // Members of several types: each shows what its own type has of what was asked for.
    const wanted = call.query.get('$select')?.split(',') ?? null;
    return list({ ...call, query: without(call.query, '$select') }, typed, {
      context: 'directoryObjects',
      present: (member) => only(member, wanted ?? ('userPrincipalName' in member ? [...userDefaults] : groupDefaults)),
      ...{ filterable: [], maximumTop: 999 },
    });
  };
}

function only(member: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(member).filter(([name]) => name === 'id' || name === '@odata.type' || names.includes(name)));
}

function without(query: URLSearchParams, name: string): URLSearchParams {
  const rest = new URLSearchParams(query);
  rest.delete(name);
  return rest;
}

function listUsers(transitive: boolean) {
  return (call: Call): Answer =>
    list<UserState>(call, membersOf(call, transitive).users, {
      ...{ context: 'users', present: presentUser, defaults: userDefaults, filterable: userFilterable, maximumTop: 999 },
    });
}

/** POST members/$ref: a member that does not exist (yet) is refused as no valid reference. */
function addMemberByReference(call: Call): Answer {
  const { store, tenant } = call;
  const group = groupOf(call);
  const [, id] = /\/(?:directoryObjects|users|groups)\/([^/]+)$/.exec(stringOf(bodyOf(call), '@odata.id') ?? '') ?? [];
  const user = tenant.users.find((one) => one.id === id && one.deletedDateTime === null);
  const inner = tenant.groups.find((one) => one.id === id);
  const thing = user ?? inner;
  if (thing === undefined || store.seen<{ id: string }>(tenant, thing) === null)
    throw badRequest('The request body does not contain a valid reference: Not a valid reference update.');
  if (user !== undefined && group.isAssignableToRole) checkMayTouch(call, user.id);
  if (memberIds(tenant, group, false).includes(thing.id)) {
    throw badRequest("One or more added object references already exist for the following modified properties: 'members'.");
  }
  addMember(tenant, group, thing.id);
  return { status: 204 };
}

/** Puts a user or group into a group. */
export function addMember(tenant: TenantState, group: GroupState, id: string): void {
  touch(tenant, group, ['members']);
  group.members = [...group.members.filter((member) => member.id !== id), { id, addedIn: tenant.step, removedIn: null }];
}

/** Takes a user or group out of a group; false when it was not in it. */
export function removeMember(tenant: TenantState, group: GroupState, id: string): boolean {
  const member = group.members.find((one) => one.id === id && one.removedIn === null);
  if (member === undefined) return false;
  touch(tenant, group, ['members']);
  member.removedIn = tenant.step;
  return true;
}

export const groupRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: '/groups',
    permissions: allows.readGroups,
    cost: 2,
    handle: (call) =>
      list(call, call.tenant.groups, { context: 'groups', present: presentGroup, defaults: groupDefaults, filterable, maximumTop: 999 }),
  },
  {
    method: 'GET',
    pattern: '/groups/{group}',
    permissions: allows.readGroups,
    handle: (call) => entity(call, 'groups', presentGroup(groupOf(call)), groupDefaults),
  },
  { method: 'GET', pattern: '/groups/{group}/members', permissions: allows.readGroups, cost: 3, handle: listMembers(false) },
  { method: 'GET', pattern: '/groups/{group}/transitiveMembers', permissions: allows.readGroups, cost: 5, handle: listMembers(true) },
  {
    method: 'GET',
    pattern: '/groups/{group}/members/microsoft.graph.user',
    permissions: allows.readGroups,
    cost: 3,
    handle: listUsers(false),
  },
  {
    method: 'GET',
    pattern: '/groups/{group}/transitiveMembers/microsoft.graph.user',
    permissions: allows.readGroups,
    cost: 5,
    handle: listUsers(true),
  },
  {
    method: 'GET',
    pattern: '/users/{user}/transitiveMemberOf/microsoft.graph.group',
    permissions: allows.readGroups,
    cost: 3,
    handle: (call) => {
      const id = call.params['user'] ?? '';
      const user = call.tenant.users.find((one) => one.id === id && one.deletedDateTime === null);
      if (user === undefined || call.store.seen(call.tenant, user) === null) throw resourceNotFound(id);
      return list(call, groupsOf(call.tenant, id), {
        context: 'groups',
        present: presentGroup,
        defaults: groupDefaults,
        filterable,
        maximumTop: 999,
      });
    },
  },
  {
    method: 'GET',
    pattern: '/groups/{group}/transitiveMembers/microsoft.graph.group',
    permissions: allows.readGroups,
    cost: 5,
    handle: (call) =>
      list(call, membersOf(call, true).groups, {
        ...{ context: 'groups', present: presentGroup, defaults: groupDefaults, filterable, maximumTop: 999 },
      }),
  },
  { method: 'POST', pattern: '/groups/{group}/members/$ref', permissions: allows.writeMembers, handle: addMemberByReference },
  {
    method: 'DELETE',
    pattern: '/groups/{group}/members/{member}/$ref',
    permissions: allows.writeMembers,
    handle: (call) => {
      const id = call.params['member'] ?? '';
      if (!removeMember(call.tenant, groupOf(call), id)) throw resourceNotFound(id);
      return { status: 204 };
    },
  },
];
