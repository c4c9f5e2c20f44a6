import type { UserRef } from './users.port.ts';

/** What the tenant allows of Temporary Access Passes. */
export interface PassPolicy {
  enabled: boolean;
  minimumMinutes: number;
  maximumMinutes: number;
  defaultMinutes: number;
  /** Only passes for one sign-in. */
  onceOnly: boolean;
  /** Groups whose members may sign in with one (a pass of anybody else is made, and opens nothing); null: everybody. */
  groupIds: string[] | null;
  /** Groups whose members may not. */
  excludedGroupIds: string[];
}

export interface NewPass {
  user: UserRef;
  /** Within the policy's limits. */
  lifetimeMinutes: number;
  usableOnce: boolean;
  /** Null: now. */
  startsAt: Date | null;
}

/** A Temporary Access Pass of a user. A user has at most one. */
export interface Pass {
  id: string;
  createdAt: Date | null;
  startsAt: Date | null;
  lifetimeMinutes: number;
  usableOnce: boolean;
  /** Whether it can be used now, with what Entra says of it, such as `EnabledByPolicy`, `Expired` or `NotYetValid`. */
  usable: boolean;
  usability: string;
}

/** A pass with its value, which Entra tells this once. */
export interface IssuedPass extends Pass {
  /** A secret: seal it, never store it. */
  value: string;
}

/** Temporary Access Passes. Permission `UserAuthenticationMethod.ReadWrite.All`. */
export interface PassDirectory {
  /** `GET /policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass`. Permission `Policy.Read.AuthenticationMethod`. */
  policy(): Promise<PassPolicy>;
  /**
   * Makes a pass in the place of an earlier one. `POST /users/{id}/authentication/temporaryAccessPassMethods`. For holders of privileged
   * roles the app must hold Privileged Authentication Administrator. POLICY; NOT_YET; NOT_FOUND. UNAVAILABLE: there may be one whose
   * value nobody knows; a new one replaces it.
   */
  issue(pass: NewPass): Promise<IssuedPass>;
  /** `GET /users/{id}/authentication/temporaryAccessPassMethods`. NOT_FOUND, NOT_YET. */
  of(user: UserRef): Promise<Pass[]>;
  /** `DELETE /users/{id}/authentication/temporaryAccessPassMethods/{id}`. One that is not there is no error. */
  delete(user: UserRef, passId: string): Promise<void>;
}
