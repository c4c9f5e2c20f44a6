import type { Role } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/** A person of the MSP (or of a customer, when co-managed). */
export interface Technician {
  mspId: Id;
  tenantId: Id;
  id: Id;
  email: string;
  /** Empty until the invitation is redeemed. */
  displayName: string;
  roles: readonly Role[];
  active: boolean;
  joined: boolean;
  totpEnrolled: boolean;
  version: number;
}

export const invitationSeconds = 7 * 24 * 3600;

/** Why a change of a technician is not allowed, or null when it is. */
export function refuseChange(input: {
  technician: Technician;
  callerId: Id;
  roles: readonly Role[];
  active: boolean;
  otherAdministrators: number;
}): string | null {
  const { technician, callerId, roles, active, otherAdministrators } = input;
  const isAdministrator = technician.active && technician.roles.includes('ADMINISTRATOR');
  const staysAdministrator = active && roles.includes('ADMINISTRATOR');
  if (technician.id === callerId && !active) return 'You cannot switch yourself off. Ask another administrator.';
  if (isAdministrator && !staysAdministrator && otherAdministrators === 0) return 'This is the last administrator. Make another one first.';
  return null;
}
