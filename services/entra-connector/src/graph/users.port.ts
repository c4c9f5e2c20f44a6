/** A user of an Entra tenant. */
export interface DirectoryUser {
  /** Microsoft's object id (a GUID): never used again, unlike names. */
  id: string;
  userPrincipalName: string;
  displayName: string;
  email: string | null;
  enabled: boolean;
  /** `employeeId`: at most 16 characters. Stint's accounts carry their mark here. */
  marker: string | null;
  userType: 'MEMBER' | 'GUEST';
  createdAt: Date;
  /** Null where Entra does not tell. */
  lastPasswordChangeAt: Date | null;
  /** Sessions that began before this are not renewed any more. */
  sessionsValidFrom: Date | null;
  /** Comes from an on-premises Active Directory, so that much of it can only be changed there. */
  onPremisesSync: boolean;
  /** Set for deleted users only. */
  deletedAt: Date | null;
}

/**
 * Which user a call is about. Entra shows fresh objects and changes of roles late: within five minutes of `createdAt` a "not found",
 * and within five minutes of `rolesChangedAt` a "forbidden", is NOT_YET instead.
 */
export interface UserRef {
  id: string;
  createdAt: Date | null;
  /** When a role was taken from the user last; where it is not known, leave it out. */
  rolesChangedAt?: Date | null;
}

export interface NewUser {
  /** On a managed domain of the tenant; 64 characters of `A-Za-z0-9'.-_!#^~` before the @. */
  userPrincipalName: string;
  mailNickname: string;
  displayName: string;
  /** At most 16 characters. */
  marker: string;
  password: string;
  enabled: boolean;
}

/** Accounts of an Entra tenant. Permission `User.ReadWrite.All`, and more where a method says so. */
export interface UserDirectory {
  /**
   * Makes a user, who need not change the password. `POST /users`. NAME_TAKEN; PASSWORD_REFUSED; INVALID. UNAVAILABLE: it may be there,
   * look for the marker before you make another.
   */
  create(user: NewUser): Promise<DirectoryUser>;
  /** `GET /users/{id}`. Null when there is none; NOT_YET when there should be. */
  byId(user: UserRef): Promise<DirectoryUser | null>;
  /** `GET /users?$filter=userPrincipalName eq …`. A fresh user may not be shown yet. */
  byName(userPrincipalName: string): Promise<DirectoryUser | null>;
  /** Users that sign in with this address, or have it as their e-mail. `GET /users?$filter=userPrincipalName eq … or mail eq …`. */
  byEmail(email: string): Promise<DirectoryUser[]>;
  /** Users with exactly this marker. `GET /users?$filter=employeeId eq …`. A fresh user may not be shown yet. */
  byMarker(marker: string): Promise<DirectoryUser[]>;
  /** All users whose marker begins so. `GET /users?$filter=startsWith(employeeId,…)`, all pages. */
  byMarkerPrefix(prefix: string): Promise<DirectoryUser[]>;
  /**
   * `PATCH /users/{id}` accountEnabled. For holders of privileged roles the app itself must hold Privileged Authentication
   * Administrator, else FORBIDDEN. NOT_FOUND, NOT_YET.
   */
  setEnabled(user: UserRef, enabled: boolean): Promise<void>;
  /**
   * `PATCH /users/{id}` passwordProfile, not to be changed at the next sign-in. Permission `User-PasswordProfile.ReadWrite.All`, and
   * the app must hold User Administrator (Privileged Authentication Administrator for holders of privileged roles).
   * PASSWORD_REFUSED, NOT_FOUND, NOT_YET. Proof that it was done: `lastPasswordChangeAt` has moved.
   */
  setPassword(user: UserRef, password: string): Promise<void>;
  /** `POST /users/{id}/revokeSignInSessions`. Takes some minutes; access tokens live on for up to an hour. NOT_FOUND, NOT_YET. */
  revokeSessions(user: UserRef): Promise<void>;
  /** `DELETE /users/{id}`: into the recycle bin, for 30 days. A user that is not there (any more) is no error; NOT_YET when it is fresh. */
  delete(user: UserRef): Promise<void>;
  /** Users in the recycle bin whose marker begins so. `GET /directory/deletedItems/microsoft.graph.user`, all pages, filtered here. */
  deletedByMarkerPrefix(prefix: string): Promise<DirectoryUser[]>;
  /** A user in the recycle bin. `GET /directory/deletedItems/{id}`. */
  deletedById(id: string): Promise<DirectoryUser | null>;
  /** Back out of the recycle bin. `POST /directory/deletedItems/{id}/restore`. Permission `User.DeleteRestore.All` will do. NOT_FOUND; NAME_TAKEN. */
  restore(id: string): Promise<DirectoryUser>;
  /** Out of the recycle bin for good. `DELETE /directory/deletedItems/{id}`. One that is not there is no error. */
  purge(id: string): Promise<void>;
}
