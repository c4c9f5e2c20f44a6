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
