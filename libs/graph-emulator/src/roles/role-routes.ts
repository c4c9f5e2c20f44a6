import { randomUUID } from 'node:crypto';
import type { UnifiedRoleAssignment, UnifiedRoleDefinition } from '@microsoft/microsoft-graph-types';
import { badRequest, resourceNotFound, type Answer } from '../http/answer.ts';
import { bodyOf, stringOf, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import type { RoleAssignmentState, RoleState, TenantState } from '../state/state.ts';
import { allows } from '../token/permissions.ts';
import { activeAssignments, isAssignment } from './role-holding.ts';
import { builtInRoles } from './role-templates.ts';

/** Built-in and custom roles of a tenant. */
export function rolesOfTenant(tenant: TenantState): RoleState[] {
  return [...builtInRoles, ...tenant.customRoles];
}

function presentRole(role: RoleState): UnifiedRoleDefinition {
  const builtIn = builtInRoles.some(({ id }) => id === role.id);
  return {
    id: role.id,
    description: role.description,
    displayName: role.displayName,
    isBuiltIn: builtIn,
    isEnabled: role.isEnabled,
    resourceScopes: ['/'],
    templateId: role.id,
    version: builtIn ? '1' : null,
    rolePermissions: [{ allowedResourceActions: role.allowedResourceActions, condition: null }],
  };
}

export function presentAssignment(assignment: RoleAssignmentState): UnifiedRoleAssignment {
  const { id, principalId, roleDefinitionId, directoryScopeId } = assignment;
  return { id, principalId, roleDefinitionId, directoryScopeId };
}

/** What a new assignment is to be: role and scope must exist, and the principal must be visible already. */
export function wantedAssignment(call: Call, body: Record<string, unknown>, principalMissing: (id: string) => Error) {
  const { tenant } = call;
  const principalId = stringOf(body, 'principalId');
  const roleDefinitionId = stringOf(body, 'roleDefinitionId');
  const directoryScopeId = stringOf(body, 'directoryScopeId');
  if (principalId === null || roleDefinitionId === null || directoryScopeId === null) {
    throw badRequest(
      'Expected property principalId, roleDefinitionId or directoryScopeId is not present on resource of type UnifiedRoleAssignment.',
    );
  }
  const role = rolesOfTenant(tenant).find(({ id }) => id === roleDefinitionId);
  if (role === undefined) throw resourceNotFound(roleDefinitionId);
  if (!role.isEnabled) throw badRequest('The role definition is not enabled.');
  checkScope(tenant, directoryScopeId);
  checkPrincipal(call, principalId, principalMissing);
  return { principalId, roleDefinitionId, directoryScopeId };
}

function checkScope(tenant: TenantState, scope: string): void {
  if (scope === '/') return;
  const [, unit] = /^\/administrativeUnits\/(.+)$/.exec(scope) ?? [];
  const known =
    unit === undefined
      ? tenant.apps.some(({ applicationId }) => `/${applicationId}` === scope)
      : tenant.administrativeUnits.some(({ id }) => id === unit);
  if (!known) throw resourceNotFound(unit ?? scope.slice(1));
}

function checkPrincipal({ store, tenant }: Call, id: string, missing: (id: string) => Error): void {
  const user = tenant.users.find((one) => one.id === id && one.deletedDateTime === null);
  const group = tenant.groups.find((one) => one.id === id);
  const isApp = tenant.apps.some((app) => app.servicePrincipalId === id && app.granted !== null);
  if (group !== undefined && !group.isAssignableToRole)
    throw badRequest('The group is not assignable to roles: isAssignableToRole is false.');
  const found = user ?? group;
  if (!isApp && (found === undefined || store.seen<{ id: string }>(tenant, found) === null)) throw missing(id);
}

/** The same principal, role and scope: only one such assignment can be. */
export function sameAssignment(call: Call, wanted: Pick<RoleAssignmentState, 'principalId' | 'roleDefinitionId' | 'directoryScopeId'>) {
  return activeAssignments(call.store, call.tenant).find(
    (one) =>
      one.principalId === wanted.principalId &&
      one.roleDefinitionId === wanted.roleDefinitionId &&
      one.directoryScopeId === wanted.directoryScopeId,
  );
}

function assign(call: Call): Answer {
  const { store, tenant } = call;
  const wanted = wantedAssignment(call, bodyOf(call), resourceNotFound);
  if (sameAssignment(call, wanted) !== undefined) {
    throw badRequest('A conflicting object with one or more of the specified property values is present in the directory.', {
      target: 'roleAssignment',
      detail: 'ConflictingObjects',
    });
  }
  const now = store.nowIso();
  const assignment: RoleAssignmentState = { id: randomUUID(), ...wanted, createdAt: now, startsAt: now, endsAt: null, scheduleId: null };
  tenant.roleAssignments.push(assignment);
  store.unsettle(tenant, assignment.id, null);
  return entity(call, 'roleManagement/directory/roleAssignments', presentAssignment(assignment), null, 201);
}

/** Takes an assignment away; the directory may tell of it for a while yet. */
export function removeAssignment({ store, tenant }: Call, assignment: RoleAssignmentState): void {
  tenant.roleAssignments = tenant.roleAssignments.filter((one) => one !== assignment);
  store.unsettle(tenant, assignment.id, assignment);
}

function findAssignment(call: Call): RoleAssignmentState {
  const id = call.params['id'] ?? '';
  const found = activeAssignments(call.store, call.tenant).find((one) => one.id === id);
  if (found === undefined) throw resourceNotFound(id);
  return found;
}

/** Assignments that a read sees. */
export function seenAssignments({ store, tenant }: Call): RoleAssignmentState[] {
  return store.seenAll(tenant, activeAssignments(store, tenant), isAssignment);
}

const definitions = 'roleManagement/directory/roleDefinitions';
const assignments = 'roleManagement/directory/roleAssignments';

export const roleRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: `/${definitions}`,
    permissions: allows.readRoles,
    handle: (call) =>
      list(call, rolesOfTenant(call.tenant), {
        ...{
          context: definitions,
          present: presentRole,
          filterable: ['id', 'displayName', 'isBuiltIn', 'templateId', 'isEnabled'],
          maximumTop: null,
        },
      }),
  },
  {
    method: 'GET',
    pattern: `/${definitions}/{id}`,
    permissions: allows.readRoles,
    handle: (call) => {
      const role = rolesOfTenant(call.tenant).find(({ id }) => id === call.params['id']);
      if (role === undefined) throw resourceNotFound(call.params['id'] ?? '');
      return entity(call, definitions, presentRole(role));
    },
  },
  {
    method: 'GET',
    pattern: `/${assignments}`,
    permissions: allows.readRoles,
    handle: (call) =>
      list(call, seenAssignments(call), {
        ...{
          context: assignments,
          present: presentAssignment,
          filterable: ['principalId', 'roleDefinitionId', 'directoryScopeId'],
          maximumTop: 999,
        },
      }),
  },
  { method: 'POST', pattern: `/${assignments}`, permissions: allows.writeRoles, handle: assign },
  {
    method: 'GET',
    pattern: `/${assignments}/{id}`,
    permissions: allows.readRoles,
    handle: (call) => {
      const seen = seenAssignments(call).find(({ id }) => id === call.params['id']);
      if (seen === undefined) throw resourceNotFound(call.params['id'] ?? '');
      return entity(call, assignments, presentAssignment(seen));
    },
  },
  {
    method: 'DELETE',
    pattern: `/${assignments}/{id}`,
    permissions: allows.writeRoles,
    handle: (call) => {
      removeAssignment(call, findAssignment(call));
      return { status: 204 };
    },
  },
];
