import type { RoleAssignment } from './roles.port.ts';

/** A verified domain of an Entra tenant. */
export interface DirectoryDomain {
  name: string;
  /** Passwords are checked by Entra; false: federated, somebody else checks them, and Stint cannot make accounts on it. */
  managed: boolean;
  /** The `onmicrosoft.com` domain that came with the tenant. */
  initial: boolean;
  default: boolean;
}

/** Who Stint is in the tenant, as its newest token tells. */
export interface OwnIdentity {
  /** Object id of the app's service principal. */
  servicePrincipalId: string;
  /** The tenant that the token is for. */
  entraTenantId: string;
  /** Application permissions of Microsoft Graph that were consented to. */
  permissions: string[];
}

/** Facts about the tenant and about ourselves in it. */
export interface TenantFacts {
  /** Takes a new token, so that a consent given a moment ago counts, and reads what it says: `roles`, `oid`, `tid`. */
  identity(): Promise<OwnIdentity>;
  /** Directory roles of our own service principal. Permission `RoleManagement.Read.Directory` (or `ReadWrite`). */
  ownRoles(): Promise<RoleAssignment[]>;
  /** The organization's name. `GET /organization`. Permission `Organization.Read.All`. */
  displayName(): Promise<string>;
  /** Verified domains. `GET /domains`. Permission `Domain.Read.All`. */
  domains(): Promise<DirectoryDomain[]>;
  /** Whether the tenant may let roles end by themselves (Entra ID P2 or Governance). `GET /subscribedSkus`. Permission `Organization.Read.All`. */
  rolesCanEnd(): Promise<boolean>;
}
