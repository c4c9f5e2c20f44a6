import { idTime, type Id } from '@stint/kernel';
import { rolePermissions, type Role } from '@stint/contracts';

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
  roles: Role[];
  keys: { id: Id; x: string }[];
}

/** Our copy of a device; `revision` is ours, of its desired state. */
export interface DeviceCopy {
  mspId: Id;
  tenantId: Id;
  id: Id;
  hostName: string;
  active: boolean;
  revision: number;
}

const freshSeconds = 330;
const aheadSeconds = 300;

/** True while a thing with this id may be so new that the message about it is still on its way: made within 5½ minutes, by clocks that differ by up to 5. */
export function mayStillArrive(id: Id, now: Date): boolean {
  const ageSeconds = (now.getTime() - idTime(id).getTime()) / 1000;
  return ageSeconds <= freshSeconds && ageSeconds >= -aheadSeconds;
}

/** Whether the technician may approve logins, and use what was approved, now. */
export function mayUseLogins(technician: Pick<TechnicianCopy, 'active' | 'roles'>): boolean {
  return technician.active && technician.roles.some((role) => rolePermissions[role].includes('login.approve'));
}
