/** A group of an Entra tenant. */
export interface DirectoryGroup {
  id: string;
  displayName: string;
  description: string | null;
}

/** A person of an Entra tenant, as the user source needs them. */
export interface DirectoryPerson {
  id: string;
  userPrincipalName: string;
  displayName: string;
  email: string | null;
  enabled: boolean;
  userType: 'MEMBER' | 'GUEST';
  /** `employeeId`: Stint's accounts carry their mark here. */
  marker: string | null;
}

/** What a delta tells of a user: only what has changed is set. */
export interface PersonChange extends Partial<Omit<DirectoryPerson, 'id'>> {
  id: string;
  /** Deleted, or out of reach. */
  removed: boolean;
}

/** What a delta tells of a group: only what has changed is set. Direct members only, users and groups alike. */
export interface GroupChange {
  id: string;
  displayName?: string;
  /** The group is deleted. */
  removed: boolean;
  membersAdded: string[];
  membersRemoved: string[];
}

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
  /** Where it goes on; null at its end. Opaque. */
  cursor: string | null;
}

/** One page of changes. Keep `cursor` with the page's effect: it goes on from there, also days later. */
export interface Changes<Change> {
  state: 'PAGE';
  changes: Change[];
  /** Opaque. */
  cursor: string;
  /** Nothing more for now: ask with this cursor at the next synchronization. */
  complete: boolean;
}

/** Entra has forgotten the cursor: begin again with null, and compare everything. */
export interface CursorExpired {
  state: 'EXPIRED';
}

/** People and groups. Permissions `User.Read.All` (or `User.ReadWrite.All`) and `GroupMember.Read.All`. */
export interface GroupDirectory {
  /** `GET /groups/{id}`. */
  byId(id: string): Promise<DirectoryGroup | null>;
  /** Groups whose name begins so, ordered by nothing, at most 100. `GET /groups?$filter=startsWith(displayName,…)`. */
  search(text: string): Promise<DirectoryGroup[]>;
  /** One page of a group's members, through groups within it; null: the first. `GET /groups/{id}/transitiveMembers/microsoft.graph.user`. NOT_FOUND. */
  members(groupId: string, cursor: string | null): Promise<Page<DirectoryPerson>>;
  /** These people, in their order; null for one who is not there. 20 to a `$batch` of `GET /users/{id}`. */
  people(ids: readonly string[]): Promise<(DirectoryPerson | null)[]>;
  /**
   * The groups within each of these, through groups within it; null for one that is not there. 20 to a `$batch` of
   * `GET /groups/{id}/transitiveMembers/microsoft.graph.group`. Of more than 999 within one, 999.
   */
  groupsWithin(groupIds: readonly string[]): Promise<(string[] | null)[]>;
  /**
   * Cursors from which the deltas tell what changes from now on, without what is there: a tenant's users and these groups (at most 50).
   * One `$batch` of `GET /users/delta` and `GET /groups/delta`, each with `$deltatoken=latest`.
   */
  changesFromNow(groupIds: readonly string[]): Promise<{ users: string; groups: string }>;
  /** Groups that a user is in, also through other groups. `GET /users/{id}/transitiveMemberOf/microsoft.graph.group`. NOT_FOUND. */
  holding(userId: string): Promise<DirectoryGroup[]>;
  /** One page of what has changed among users since `cursor`; null: everything that is there. `GET /users/delta`. */
  usersDelta(cursor: string | null): Promise<Changes<PersonChange> | CursorExpired>;
  /** The same of these groups (at most 50) and their members. `GET /groups/delta`. */
  groupsDelta(groupIds: readonly string[], cursor: string | null): Promise<Changes<GroupChange> | CursorExpired>;
}
