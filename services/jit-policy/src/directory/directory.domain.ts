import type { Id } from '@stint/kernel';
import { rolePermissions, type Permission, type RoleAssignment } from '@stint/contracts';

/** Our copy of a tenant. */
export interface TenantCopy {
  mspId: Id;
  id: Id;
  path: Id[];
  name: string;
}

/** Our copy of a technician, with the public keys that sign approvals. */
export interface TechnicianCopy {
  mspId: Id;
  tenantId: Id;
  id: Id;
  email: string;
  displayName: string;
  active: boolean;
  /** Roles, each for a tenant and all below. */
  assignments: RoleAssignment[];
  groupIds: Id[];
  totpEnrolled: boolean;
  /** Passkeys: credential id and COSE key in base64url. Until people have nothing but passkeys, also Ed25519 credentials with the `x` of their JWK. */
  keys: { id: string; publicKey: string; algorithm: number }[];
}

/** Our copy of a device; `revision` is ours, of its desired state. */
export interface DeviceCopy {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: 'WORKSTATION' | 'SERVER' | 'DOMAIN_CONTROLLER';
  hostName: string;
  /** The AD domain that it is joined to or controls, as its DNS name. */
  domain: string | null;
  tags: string[];
  hpkeKey: string;
  active: boolean;
  revision: number;
  /** Grows when who may log in offline there may have changed. */
  offlineRevision: number;
}

/** Whether the technician holds the permission in the tenant with this path, by a role on it or above it. */
export function holds(technician: Pick<TechnicianCopy, 'active' | 'assignments'>, permission: Permission, path: readonly Id[]): boolean {
  return (
    technician.active &&
    technician.assignments.some(({ tenantId, role }) => path.includes(tenantId) && rolePermissions[role].includes(permission))
  );
}
