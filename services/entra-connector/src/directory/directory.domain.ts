import type { Actor, Permission } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/** Our copy of a tenant. */
export interface TenantCopy {
  mspId: Id;
  id: Id;
  /** From the MSP down to itself. */
  path: Id[];
  name: string;
}

/** Our copy of a technician. */
export interface TechnicianCopy {
  mspId: Id;
  tenantId: Id;
  id: Id;
  email: string;
  displayName: string;
  active: boolean;
  groupIds: Id[];
}

/** Whether the caller holds the permission in the tenant with this path: on it or above it. */
export function holds(actor: Actor, permission: Permission, path: readonly Id[]): boolean {
  return 'access' in actor && actor.access.some((entry) => path.includes(entry.tenantId) && entry.permissions.includes(permission));
}
