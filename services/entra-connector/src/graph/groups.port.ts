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
  /** Members of a group through groups within it, page by page. `GET /groups/{id}/transitiveMembers/microsoft.graph.user`. NOT_FOUND. */
  members(groupId: string): AsyncIterable<DirectoryPerson[]>;
  /** Direct members that are groups. `GET /groups/{id}/members`. NOT_FOUND. */
  groupsIn(groupId: string): Promise<DirectoryGroup[]>;
  /** Groups that a user is in, also through other groups. `GET /users/{id}/transitiveMemberOf/microsoft.graph.group`. NOT_FOUND. */
  holding(userId: string): Promise<DirectoryGroup[]>;
  /** One page of what has changed among users since `cursor`; null: everything that is there. `GET /users/delta`. */
  usersDelta(cursor: string | null): Promise<Changes<PersonChange> | CursorExpired>;
  /** The same of these groups (at most 50) and their members. `GET /groups/delta`. */
  groupsDelta(groupIds: readonly string[], cursor: string | null): Promise<Changes<GroupChange> | CursorExpired>;
}
