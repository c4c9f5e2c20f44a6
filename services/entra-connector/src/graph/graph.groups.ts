import type { Group, User } from '@microsoft/microsoft-graph-types';
import { DirectoryError, isDirectoryError } from './directory-error.ts';
import type {
  Changes,
  CursorExpired,
  DirectoryGroup,
  DirectoryPerson,
  GroupChange,
  GroupDirectory,
  Page,
  PersonChange,
} from './groups.port.ts';
import type { GraphCall, GraphCaller, GraphTransport } from './graph.transport.ts';
import { nullWhereNotFound, userTypeOf } from './graph.users.ts';
import { quoted, required } from './graph.values.ts';

const personProperties = '$select=id,userPrincipalName,displayName,mail,accountEnabled,userType,employeeId';
const groupProperties = '$select=id,displayName,description';
const readingGroups = { method: 'GET', purpose: 'read groups', permissions: ['GroupMember.Read.All', 'Group.Read.All'] } as const;
const readingUsers = { method: 'GET', purpose: 'read users', permissions: ['User.Read.All', 'User.ReadWrite.All'] } as const;

// A cast to a type is a query of the advanced kind, which says so.
const advanced = { ConsistencyLevel: 'eventual' };

/** What a delta adds to the objects themselves. */
interface Removable {
  '@removed'?: { reason?: string };
}
type UserDelta = User & Removable;
type GroupDelta = Group & Removable & { 'members@delta'?: ({ id?: string } & Removable)[] };
interface ListPage<Item> {
  value?: Item[];
  '@odata.nextLink'?: string;
}
interface DeltaPage<Item> extends ListPage<Item> {
  '@odata.deltaLink'?: string;
}

/** People and groups, by Graph. */
export class GraphGroups implements GroupDirectory {
  readonly #graph: GraphTransport;
  readonly #caller: GraphCaller;

  constructor(graph: GraphTransport, caller: GraphCaller) {
    this.#graph = graph;
    this.#caller = caller;
  }

  async byId(id: string): Promise<DirectoryGroup | null> {
    const path = `/groups/${encodeURIComponent(id)}?${groupProperties}`;
    const found = await this.#graph.call<Group>(this.#caller, { ...readingGroups, path }).catch(nullWhereNotFound);
    return found === null ? null : asGroup(found);
  }

  async search(text: string): Promise<DirectoryGroup[]> {
    const filter = encodeURIComponent(`startsWith(displayName,${quoted(text)})`);
    const page = await this.#graph.call<{ value?: Group[] }>(this.#caller, {
      ...{ ...readingGroups, path: `/groups?$filter=${filter}&${groupProperties}&$top=100` },
    });
    return (page.value ?? []).map(asGroup);
  }

  async members(groupId: string, cursor: string | null): Promise<Page<DirectoryPerson>> {
    const path = cursor ?? `${within(groupId)}user?${personProperties}&$count=true&$top=999`;
    const page = await this.#graph.call<ListPage<User>>(this.#caller, { ...readingGroups, path, headers: advanced });
    const next = page['@odata.nextLink'];
    return { items: (page.value ?? []).map(asPerson), cursor: next === undefined ? null : this.#graph.below(this.#caller, next) };
  }

  async people(ids: readonly string[]): Promise<(DirectoryPerson | null)[]> {
    const calls = ids.map((id) => ({ ...readingUsers, path: `/users/${encodeURIComponent(id)}?${personProperties}` }));
    const answers = await this.#graph.readTogether(this.#caller, calls);
    return answers.map((answer) => (isDirectoryError(answer, 'NOT_FOUND') ? null : asPerson(read<User>(answer))));
  }

  async groupsWithin(groupIds: readonly string[]): Promise<(string[] | null)[]> {
    const calls = groupIds.map((id) => ({
      ...{ ...readingGroups, path: `${within(id)}group?$select=id&$count=true&$top=999`, headers: advanced },
    }));
    const answers = await this.#graph.readTogether(this.#caller, calls);
    return answers.map((answer) => {
      if (isDirectoryError(answer, 'NOT_FOUND')) return null;
      return (read<ListPage<Group>>(answer).value ?? []).map(({ id }) => required(id, 'id'));
    });
  }

  async changesFromNow(groupIds: readonly string[]): Promise<{ users: string; groups: string }> {
    const paths = [usersDeltaPath, groupsDeltaPath(groupIds)].map((path) => `${path}&$deltatoken=latest`);
    const calls = paths.map((path) => ({
      ...readingGroups,
      path,
      permissions: [...readingUsers.permissions, ...readingGroups.permissions],
    }));
    const [users, groups] = (await this.#graph.readTogether(this.#caller, calls)).map((answer) =>
      this.#graph.below(this.#caller, required(read<DeltaPage<unknown>>(answer)['@odata.deltaLink'], '@odata.deltaLink')),
    );
    return { users: required(users, 'users'), groups: required(groups, 'groups') };
  }

  async holding(userId: string): Promise<DirectoryGroup[]> {
    const path = `/users/${encodeURIComponent(userId)}/transitiveMemberOf/microsoft.graph.group?${groupProperties}&$count=true&$top=999`;
    const call = { ...readingGroups, path, headers: { ConsistencyLevel: 'eventual' } };
    return (await this.#graph.all<Group>(this.#caller, call)).map(asGroup);
  }

  async usersDelta(cursor: string | null): Promise<Changes<PersonChange> | CursorExpired> {
    return this.#delta<UserDelta, PersonChange>(readingUsers, usersDeltaPath, cursor, asPersonChange);
  }

  async groupsDelta(groupIds: readonly string[], cursor: string | null): Promise<Changes<GroupChange> | CursorExpired> {
    return this.#delta<GroupDelta, GroupChange>(readingGroups, groupsDeltaPath(groupIds), cursor, asGroupChange);
  }

  async #delta<Item, Change>(
    reading: Omit<GraphCall, 'path'>,
    first: string,
    cursor: string | null,
    asChange: (item: Item) => Change,
  ): Promise<Changes<Change> | CursorExpired> {
    // What has not changed need not be told.
    const call = { ...reading, path: cursor ?? first, headers: { Prefer: 'return=minimal' } };
    try {
      const page = await this.#graph.call<DeltaPage<Item>>(this.#caller, call);
      const link = required(page['@odata.nextLink'] ?? page['@odata.deltaLink'], '@odata.deltaLink');
      return {
        ...{ state: 'PAGE', changes: (page.value ?? []).map(asChange) },
        ...{ cursor: this.#graph.below(this.#caller, link), complete: page['@odata.nextLink'] === undefined },
      };
    } catch (error) {
      if (cursor !== null && isDirectoryError(error) && isExpired(error)) return { state: 'EXPIRED' };
      throw error;
    }
  }
}

const usersDeltaPath = `/users/delta?${personProperties}`;

function groupsDeltaPath(groupIds: readonly string[]): string {
  const filter = encodeURIComponent(groupIds.map((id) => `id eq ${quoted(id)}`).join(' or '));
  return `/groups/delta?$select=displayName,members&$filter=${filter}`;
}

function within(groupId: string): string {
  return `/groups/${encodeURIComponent(groupId)}/transitiveMembers/microsoft.graph.`;
}

/** A part of a batch, where it did not fail. */
function read<Answer>(answer: unknown): Answer {
  if (answer instanceof DirectoryError) throw answer;
  return answer as Answer;
}

const expiredCodes = ['syncStateNotFound', 'syncStateInvalid', 'resyncRequired', 'Directory_ExpiredPageToken'];

function isExpired({ code }: DirectoryError): boolean {
  return expiredCodes.some((one) => one.toLowerCase() === code?.toLowerCase());
}

function asGroup({ id, displayName, description }: Group): DirectoryGroup {
  return { id: required(id, 'id'), displayName: displayName ?? '', description: description ?? null };
}

function asPerson(user: User): DirectoryPerson {
  return {
    ...{ id: required(user.id, 'id'), userPrincipalName: required(user.userPrincipalName, 'userPrincipalName') },
    ...{ displayName: user.displayName ?? '', email: user.mail ?? null, enabled: user.accountEnabled ?? false },
    ...{ userType: userTypeOf(user.userType), marker: user.employeeId ?? null },
  };
}

function asPersonChange(user: UserDelta): PersonChange {
  return {
    ...{ id: required(user.id, 'id'), removed: user['@removed'] !== undefined },
    ...(user.userPrincipalName === undefined ? {} : { userPrincipalName: user.userPrincipalName ?? '' }),
    ...(user.displayName === undefined ? {} : { displayName: user.displayName ?? '' }),
    ...(user.mail === undefined ? {} : { email: user.mail }),
    ...(user.accountEnabled === undefined ? {} : { enabled: user.accountEnabled ?? false }),
    ...(user.userType === undefined ? {} : { userType: userTypeOf(user.userType) }),
    ...(user.employeeId === undefined ? {} : { marker: user.employeeId }),
  };
}

function asGroupChange(group: GroupDelta): GroupChange {
  const members = group['members@delta'] ?? [];
  const ids = (removed: boolean) =>
    members.filter((member) => (member['@removed'] !== undefined) === removed).map(({ id }) => required(id, 'id of a member'));
  return {
    ...{ id: required(group.id, 'id'), removed: group['@removed'] !== undefined },
    ...(group.displayName === undefined ? {} : { displayName: group.displayName ?? '' }),
    ...{ membersAdded: ids(false), membersRemoved: ids(true) },
  };
}
