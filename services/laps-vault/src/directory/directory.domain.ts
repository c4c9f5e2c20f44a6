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
