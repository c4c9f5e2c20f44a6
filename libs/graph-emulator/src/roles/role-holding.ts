import { forbidden } from '../http/answer.ts';
import type { Call } from '../http/call.ts';
import type { GroupState, RoleAssignmentState, TenantState } from '../state/state.ts';
import type { Store } from '../state/store.ts';
import { makesSensitive, roleId, type BuiltInRole } from './role-templates.ts';

/** Assignments that hold at this instant: a time-bound one ends by itself. */
export function activeAssignments(store: Store, tenant: TenantState): RoleAssignmentState[] {
  const now = store.now();
  return tenant.roleAssignments.filter(({ startsAt, endsAt }) => new Date(startsAt) <= now && (endsAt === null || new Date(endsAt) > now));
}

/** Groups that hold the principal, also through other groups. */
export function groupsOf(tenant: TenantState, principalId: string): GroupState[] {
  const found = new Map<string, GroupState>();
  const walk = (id: string) => {
    for (const group of tenant.groups) {
      if (found.has(group.id) || !group.members.some((member) => member.id === id && member.removedIn === null)) continue;
      found.set(group.id, group);
      walk(group.id);
    }
  };
  walk(principalId);
  return [...found.values()];
}

/** Ids of the roles that a principal has now, by itself or through a role-assignable group. */
export function rolesOf(store: Store, tenant: TenantState, principalId: string): Set<string> {
  const holders = [principalId, ...groupsOf(tenant, principalId).map(({ id }) => id)];
  return new Set(
    activeAssignments(store, tenant)
      .filter((assignment) => holders.includes(assignment.principalId))
      .map(({ roleDefinitionId }) => roleDefinitionId),
  );
}

/**
 * Refuses what an app may not do to an administrator: that takes Privileged Authentication Administrator or Global
 * Administrator on the app's service principal ("Who can perform sensitive actions"). Role removals are seen late here too.
 */
export function checkMayTouch(call: Call, userId: string): void {
  const { store, tenant, app } = call;
  const roles = [...rolesOf(store, tenant, userId), ...lingeringRoles(call, userId)];
  const sensitive = roles.some(makesSensitive) || groupsOf(tenant, userId).some(({ isAssignableToRole }) => isAssignableToRole);
  if (sensitive && !appHas(store, tenant, app.servicePrincipalId, touchers)) throw forbidden();
}

const touchers: readonly BuiltInRole[] = ['Privileged Authentication Administrator', 'Global Administrator'];

/** Resetting a password takes User Administrator at least, on the app's service principal. */
export function checkMayResetPassword({ store, tenant, app }: Call): void {
  if (!appHas(store, tenant, app.servicePrincipalId, ['User Administrator', ...touchers])) throw forbidden();
}

function appHas(store: Store, tenant: TenantState, servicePrincipalId: string, names: readonly BuiltInRole[]): boolean {
  const held = rolesOf(store, tenant, servicePrincipalId);
  return names.some((name) => held.has(roleId(name)));
}

/** Roles that were taken away, which has not reached all of the directory yet. */
function lingeringRoles({ store, tenant }: Call, userId: string): string[] {
  return store
    .seenAll(tenant, [], isAssignment)
    .filter(({ principalId }) => principalId === userId)
    .map(({ roleDefinitionId }) => roleDefinitionId);
}

/** What an unsettled object was before, if that was a role assignment. */
export function isAssignment(before: unknown): before is RoleAssignmentState {
  return typeof before === 'object' && before !== null && 'roleDefinitionId' in before;
}
