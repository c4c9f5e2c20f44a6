import type { Actor, LapsSettings, Permission } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/** Our copy of a technician: whether they work here, and in which groups they are. */
export interface TechnicianCopy {
  id: Id;
  displayName: string;
  active: boolean;
  groupIds: Id[];
}

/** Our copy of a device; `revision` is ours, of what its break-glass accounts must be. */
export interface DeviceCopy {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: 'WORKSTATION' | 'SERVER' | 'DOMAIN_CONTROLLER';
  hostName: string;
  active: boolean;
  revision: number;
}

/** Whether the caller holds the permission in the tenant with this path: on it or above it. */
export function holds(actor: Actor, permission: Permission, path: readonly Id[]): boolean {
  return 'access' in actor && actor.access.some((entry) => path.includes(entry.tenantId) && entry.permissions.includes(permission));
}

/** True for a technician who may read LAPS passwords where these settings hold. */
export function isReader(technician: TechnicianCopy | null, settings: LapsSettings): boolean {
  return technician?.active === true && settings.readerGroups.some((groupId) => technician.groupIds.includes(groupId));
}
