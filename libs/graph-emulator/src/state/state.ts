import type { JsonWebKey } from 'node:crypto';

// What the emulator remembers: plain JSON, so that it can be kept in a file. Instants are ISO strings, as Graph writes them.

/** A domain of an Entra tenant, as the builder takes it. */
export interface EntraDomain {
  name: string;
  isDefault: boolean;
  isInitial: boolean;
  authenticationType: 'Managed' | 'Federated';
}

/** The tenant's policy for Temporary Access Passes. `includedGroupIds` null: everybody. */
export interface TapPolicy {
  state: 'enabled' | 'disabled';
  minimumLifetimeInMinutes: number;
  maximumLifetimeInMinutes: number;
  defaultLifetimeInMinutes: number;
  defaultLength: number;
  /** True: only passes for one use may be made. */
  isUsableOnce: boolean;
  includedGroupIds: string[] | null;
}

/** What Privileged Identity Management demands of a time-bound assignment. */
export interface PimPolicy {
  maximumDurationSeconds: number | null;
  justificationRequired: boolean;
  ticketRequired: boolean;
}

export type Licences = 'FREE' | 'P1' | 'P2';

export interface Credential {
  keyId: string;
  startsAt: string;
  endsAt: string;
  displayName: string;
}
export interface SecretState extends Credential {
  secretHash: string;
  hint: string;
}
export interface CertificateState extends Credential {
  publicKey: JsonWebKey;
  /** Thumbprints of the certificate in base64url (RFC 7515 §4.1.7 and §4.1.8). */
  x5t: string | null;
  x5tS256: string | null;
}

export interface AppState {
  clientId: string;
  displayName: string;
  applicationId: string;
  servicePrincipalId: string;
  secrets: SecretState[];
  certificates: CertificateState[];
  /** Application permissions that it asks for, by name. */
  requested: string[];
  /** Those that an administrator of the tenant has consented to; null: the tenant does not know the app. */
  granted: string[] | null;
  enabled: boolean;
  blockedByConditionalAccess: boolean;
}

export interface UserState {
  id: string;
  accountEnabled: boolean;
  displayName: string;
  givenName: string | null;
  surname: string | null;
  mail: string | null;
  mailNickname: string;
  userPrincipalName: string;
  userType: 'Member' | 'Guest';
  employeeId: string | null;
  employeeType: string | null;
  jobTitle: string | null;
  department: string | null;
  usageLocation: string | null;
  onPremisesImmutableId: string | null;
  createdDateTime: string;
  deletedDateTime: string | null;
  lastPasswordChangeDateTime: string;
  signInSessionsValidFromDateTime: string;
  passwordHash: string;
  forceChangePasswordNextSignIn: boolean;
  /** The user has registered a second factor of his own. */
  mfaRegistered: boolean;
  /** At which step of the tenant's history each property was changed. */
  changed: Record<string, number>;
}

export interface GroupState {
  id: string;
  displayName: string;
  description: string | null;
  mailNickname: string;
  isAssignableToRole: boolean;
  createdDateTime: string;
  /** Members now and, with `removedIn`, those of before. */
  members: { id: string; addedIn: number; removedIn: number | null }[];
  changed: Record<string, number>;
}

export interface RoleAssignmentState {
  id: string;
  principalId: string;
  roleDefinitionId: string;
  directoryScopeId: string;
  createdAt: string;
  startsAt: string;
  endsAt: string | null;
  /** The schedule that it stands on; null: assigned without one. */
  scheduleId: string | null;
}

export interface RoleRequestState {
  id: string;
  action: string;
  principalId: string;
  roleDefinitionId: string;
  directoryScopeId: string;
  justification: string | null;
  ticketNumber: string | null;
  ticketSystem: string | null;
  createdAt: string;
  startsAt: string;
  endsAt: string | null;
  targetScheduleId: string;
  appId: string;
}

export interface PassState {
  id: string;
  userId: string;
  valueHash: string;
  createdAt: string;
  startsAt: string;
  lifetimeInMinutes: number;
  isUsableOnce: boolean;
  usedAt: string | null;
}

export interface RoleState {
  id: string;
  displayName: string;
  description: string;
  isEnabled: boolean;
  allowedResourceActions: string[];
}

/** An object that reads do not show as it is yet: they answer `before` (null: not there). */
export interface Unsettled {
  until: string;
  readsLeft: number;
  before: unknown;
}

export interface TenantState {
  id: string;
  displayName: string;
  createdAt: string;
  domains: EntraDomain[];
  licences: Licences;
  tapPolicy: TapPolicy;
  pimPolicy: PimPolicy;
  bannedPasswords: string[];
  /** Microsoft demands a second factor at its portals; a test may turn that off. */
  mfaAtPortals: boolean;
  declinesConsent: boolean;
  apps: AppState[];
  users: UserState[];
  groups: GroupState[];
  administrativeUnits: { id: string; displayName: string }[];
  customRoles: RoleState[];
  roleAssignments: RoleAssignmentState[];
  roleRequests: RoleRequestState[];
  passes: PassState[];
  /** Grows by one with each change of a user or group. */
  step: number;
  /** Delta tokens of an earlier step are refused. */
  oldestDeltaStep: number;
  /** What was deleted for good. */
  purged: { id: string; kind: 'users' | 'groups'; step: number }[];
  unsettled: Record<string, Unsettled>;
}

export interface State {
  version: 1;
  /** Key of the access tokens (HMAC), so that they outlive a restart. */
  tokenKey: string;
  /** How many chances the emulator has taken: its randomness is a sequence. */
  chances: number;
  tenants: TenantState[];
}
