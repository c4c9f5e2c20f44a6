import type { NullableOption, User } from '@microsoft/microsoft-graph-types';
import type { Clock } from '@stint/kernel';
import { isDirectoryError } from './directory-error.ts';
import { dateOf, quoted, required } from './graph.values.ts';
import type { GraphCaller, GraphTransport } from './graph.transport.ts';
import type { DirectoryUser, NewUser, UserDirectory, UserRef } from './users.port.ts';

const properties = [
  ...['id', 'userPrincipalName', 'displayName', 'mail', 'accountEnabled', 'employeeId', 'userType', 'createdDateTime'],
  ...['lastPasswordChangeDateTime', 'signInSessionsValidFromDateTime', 'onPremisesSyncEnabled', 'deletedDateTime'],
];
const select = `$select=${properties.join(',')}`;
const reading = { purpose: 'read users', permissions: ['User.ReadWrite.All', 'User.Read.All'] } as const;

/** Accounts, by Graph. */
export class GraphUsers implements UserDirectory {
  readonly #graph: GraphTransport;
  readonly #caller: GraphCaller;
  readonly #clock: Clock;

  constructor(graph: GraphTransport, caller: GraphCaller, clock: Clock) {
    this.#graph = graph;
    this.#caller = caller;
    this.#clock = clock;
  }

  async create(user: NewUser): Promise<DirectoryUser> {
    const { userPrincipalName, mailNickname, displayName, marker, enabled } = user;
    const body: User = {
      ...{ userPrincipalName, mailNickname, displayName, employeeId: marker, accountEnabled: enabled },
      passwordProfile: { password: user.password, forceChangePasswordNextSignIn: false },
    };
    const made = await this.#graph.call<User>(this.#caller, {
      ...{ method: 'POST', path: '/users', body, purpose: 'create the account', permissions: ['User.ReadWrite.All'] },
    });
    // The answer to a POST does not tell everything; a user made now is made now.
    const createdAt = this.#clock.now();
    return {
      ...{ id: required(made.id, 'id'), userPrincipalName, displayName, email: null, enabled, marker, userType: 'MEMBER', createdAt },
      ...{ lastPasswordChangeAt: createdAt, sessionsValidFrom: createdAt, onPremisesSync: false, deletedAt: null },
    };
  }

  async byId(user: UserRef): Promise<DirectoryUser | null> {
    const found = await this.#graph
      .call<User>(this.#caller, { method: 'GET', path: `/users/${encodeURIComponent(user.id)}?${select}`, ...reading, user })
      .catch(nullWhereNotFound);
    return found === null ? null : asUser(found);
  }

  async byName(userPrincipalName: string): Promise<DirectoryUser | null> {
    return (await this.#found(`userPrincipalName eq ${quoted(userPrincipalName)}`))[0] ?? null;
  }

  async byEmail(email: string): Promise<DirectoryUser[]> {
    return this.#found(`userPrincipalName eq ${quoted(email)} or mail eq ${quoted(email)}`);
  }

  async byMarker(marker: string): Promise<DirectoryUser[]> {
    return this.#found(`employeeId eq ${quoted(marker)}`);
  }

  async byMarkerPrefix(prefix: string): Promise<DirectoryUser[]> {
    return this.#found(`startsWith(employeeId,${quoted(prefix)})`);
  }

  async setEnabled(user: UserRef, enabled: boolean): Promise<void> {
    const body: User = { accountEnabled: enabled };
    const purpose = enabled ? 'enable the account' : 'disable the account';
    await this.#patch(user, body, purpose, ['User.EnableDisableAccount.All', 'User.ReadWrite.All']);
  }

  async setPassword(user: UserRef, password: string): Promise<void> {
    const body: User = { passwordProfile: { password, forceChangePasswordNextSignIn: false } };
    await this.#patch(user, body, 'set the password of the account', ['User-PasswordProfile.ReadWrite.All']);
  }

  async revokeSessions(user: UserRef): Promise<void> {
    await this.#graph.call(this.#caller, {
      ...{ method: 'POST', path: `/users/${encodeURIComponent(user.id)}/revokeSignInSessions`, repeatable: true, user },
      ...{ purpose: 'end the sessions of the account', permissions: ['User.RevokeSessions.All', 'User.ReadWrite.All'] },
    });
  }

  async delete(user: UserRef): Promise<void> {
    await this.#graph
      .call(this.#caller, {
        ...{ method: 'DELETE', path: `/users/${encodeURIComponent(user.id)}`, user },
        ...{ purpose: 'delete the account', permissions: ['User.DeleteRestore.All', 'User.ReadWrite.All'] },
      })
      .catch(nullWhereNotFound);
  }

  async deletedByMarkerPrefix(prefix: string): Promise<DirectoryUser[]> {
    const deleted = await this.#graph.all<User>(this.#caller, {
      ...{ method: 'GET', path: `/directory/deletedItems/microsoft.graph.user?${select}`, ...reading, purpose: 'read deleted users' },
    });
    return deleted.filter(({ employeeId }) => employeeId?.startsWith(prefix) === true).map(asUser);
  }

  async deletedById(id: string): Promise<DirectoryUser | null> {
    const path = `/directory/deletedItems/${encodeURIComponent(id)}/microsoft.graph.user?${select}`;
    const found = await this.#graph
      .call<User>(this.#caller, { method: 'GET', path, ...reading, purpose: 'read deleted users' })
      .catch(nullWhereNotFound);
    return found === null ? null : asUser(found);
  }

  async restore(id: string): Promise<DirectoryUser> {
    await this.#graph.call(this.#caller, {
      ...{ method: 'POST', path: `/directory/deletedItems/${encodeURIComponent(id)}/restore`, purpose: 'restore the account' },
      permissions: ['User.DeleteRestore.All', 'User.ReadWrite.All'],
    });
    // The answer is a directory object without what makes a user.
    const path = `/users/${encodeURIComponent(id)}?${select}`;
    const user = { id, createdAt: this.#clock.now() };
    return asUser(await this.#graph.call<User>(this.#caller, { method: 'GET', path, ...reading, user }));
  }

  async purge(id: string): Promise<void> {
    await this.#graph
      .call(this.#caller, {
        ...{ method: 'DELETE', path: `/directory/deletedItems/${encodeURIComponent(id)}`, purpose: 'delete the account for good' },
        permissions: ['User.DeleteRestore.All', 'User.ReadWrite.All'],
      })
      .catch(nullWhereNotFound);
  }

  async #patch(user: UserRef, body: User, purpose: string, permissions: readonly string[]): Promise<void> {
    const path = `/users/${encodeURIComponent(user.id)}`;
    await this.#graph.call(this.#caller, { method: 'PATCH', path, body, purpose, permissions, user });
  }

  async #found(filter: string): Promise<DirectoryUser[]> {
    const path = `/users?$filter=${encodeURIComponent(filter)}&${select}&$top=100`;
    return (await this.#graph.all<User>(this.#caller, { method: 'GET', path, ...reading })).map(asUser);
  }
}

/** For `catch`: what is not there is no failure. */
export function nullWhereNotFound(error: unknown): null {
  if (isDirectoryError(error, 'NOT_FOUND')) return null;
  throw error;
}

export function userTypeOf(userType: NullableOption<string> | undefined): DirectoryUser['userType'] {
  return userType === 'Guest' ? 'GUEST' : 'MEMBER';
}

function asUser(user: User): DirectoryUser {
  return {
    id: required(user.id, 'id'),
    userPrincipalName: required(user.userPrincipalName, 'userPrincipalName'),
    displayName: user.displayName ?? '',
    email: user.mail ?? null,
    enabled: user.accountEnabled ?? false,
    marker: user.employeeId ?? null,
    userType: userTypeOf(user.userType),
    createdAt: dateOf(user.createdDateTime) ?? new Date(0),
    lastPasswordChangeAt: dateOf(user.lastPasswordChangeDateTime),
    sessionsValidFrom: dateOf(user.signInSessionsValidFromDateTime),
    onPremisesSync: user.onPremisesSyncEnabled ?? false,
    deletedAt: dateOf(user.deletedDateTime),
  };
}
