import type { Id } from '@stint/kernel';

/** A person of the MSP (or of a customer, when co-managed). */
export interface Technician {
  mspId: Id;
  tenantId: Id;
  id: Id;
  email: string;
  /** Empty until the invitation is redeemed, unless the user source tells it. */
  displayName: string;
  /** Neither switched off by an administrator nor by the user source. */
  active: boolean;
  switchedOff: boolean;
  sourceOff: boolean;
  /** Who they are in their tenant's user source; null for local people. */
  sourceObjectId: string | null;
  joined: boolean;
  totpEnrolled: boolean;
  version: number;
}

export const invitationSeconds = 7 * 24 * 3600;

/** Why a technician may not be switched off, or null when they may. `lastAdministrator`: nobody else administers the whole MSP. */
export function refuseSwitchOff(input: { technicianId: Id; callerId: Id; lastAdministrator: boolean }): string | null {
  if (input.technicianId === input.callerId) return 'You cannot switch yourself off. Ask another administrator.';
  return input.lastAdministrator ? 'This is the last administrator of the MSP. Make another one first.' : null;
}
