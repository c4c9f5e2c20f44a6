import { resourceNotFound, type Answer } from '../http/answer.ts';
import type { Call, Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import { checkMayTouch } from '../roles/role-holding.ts';
import type { TenantState, UserState } from '../state/state.ts';
import { touch } from '../state/store.ts';
import { allows } from '../token/permissions.ts';
import { presentUser, userDefaults, userFilterable } from './present-user.ts';
import { checkNameIsFree } from './user-rules.ts';

const keptDays = 30;

/** In the recycle bin a user's name carries its id, so that the name is free for another. */
function presentDeleted(user: UserState) {
  const shown = presentUser(user);
  return {
    '@odata.type': '#microsoft.graph.user',
    ...shown,
    userPrincipalName: `${user.id.replaceAll('-', '')}${user.userPrincipalName}`,
  };
}

function deletedUser(call: Call): UserState {
  purgeOld(call);
  const id = call.params['id'] ?? '';
  const user = call.tenant.users.find((one) => one.id === id && one.deletedDateTime !== null);
  if (user === undefined) throw resourceNotFound(id);
  return user;
}

function restore(call: Call): Answer {
  const { store, tenant } = call;
  const user = deletedUser(call);
  checkMayTouch(call, user.id);
  checkNameIsFree(tenant, user.userPrincipalName, user.id);
  user.deletedDateTime = null;
  touch(tenant, user, Object.keys(presentUser(user)));
  store.unsettle(tenant, user.id, null);
  return entity(call, 'directoryObjects', { '@odata.type': '#microsoft.graph.user', ...presentUser(user) });
}

/** Deletes a user for good, with its roles. */
export function purge(tenant: TenantState, user: UserState): void {
  tenant.users.splice(tenant.users.indexOf(user), 1);
  tenant.roleAssignments = tenant.roleAssignments.filter(({ principalId }) => principalId !== user.id);
  tenant.step += 1;
  tenant.purged.push({ id: user.id, kind: 'users', step: tenant.step });
}

/** After 30 days Entra deletes for good. */
function purgeOld(call: Call): void {
  const limit = call.store.now().getTime() - keptDays * 86_400_000;
  for (const user of call.tenant.users.filter(
    ({ deletedDateTime }) => deletedDateTime !== null && new Date(deletedDateTime).getTime() < limit,
  )) {
    purge(call.tenant, user);
  }
}

const defaults = ['@odata.type', 'deletedDateTime', ...userDefaults];

export const deletedUserRoutes: readonly Route[] = [
  {
    method: 'GET',
    pattern: '/directory/deletedItems/microsoft.graph.user',
    permissions: allows.readUsers,
    cost: 2,
    handle: (call) => {
      purgeOld(call);
      const deleted = call.tenant.users.filter(({ deletedDateTime }) => deletedDateTime !== null);
      // Typed by the path already: the cast leaves no @odata.type on its members.
      return list(call, deleted, {
        context: 'users',
        present: (user) => {
          const { '@odata.type': _, ...shown } = presentDeleted(user);
          return shown;
        },
        defaults: ['deletedDateTime', ...userDefaults],
        filterable: userFilterable,
        maximumTop: 999,
      });
    },
  },
  {
    method: 'GET',
    pattern: '/directory/deletedItems/{id}',
    permissions: allows.readUsers,
    handle: (call) => entity(call, 'directoryObjects', presentDeleted(deletedUser(call)), defaults),
  },
  {
    method: 'GET',
    pattern: '/directory/deletedItems/{id}/microsoft.graph.user',
    permissions: allows.readUsers,
    handle: (call) => {
      const { '@odata.type': _, ...shown } = presentDeleted(deletedUser(call));
      return entity(call, 'users', shown, ['deletedDateTime', ...userDefaults]);
    },
  },
  { method: 'POST', pattern: '/directory/deletedItems/{id}/restore', permissions: allows.deleteUsers, handle: restore },
  {
    method: 'DELETE',
    pattern: '/directory/deletedItems/{id}',
    permissions: allows.deleteUsers,
    handle: (call) => {
      const user = deletedUser(call);
      checkMayTouch(call, user.id);
      purge(call.tenant, user);
      return { status: 204 };
    },
  },
];
