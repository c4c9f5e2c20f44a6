import { addSeconds, type Id } from '@stint/kernel';

export type RecoveryState = 'PENDING' | 'APPROVED' | 'REDEEMED' | 'CANCELLED';

/** The way back in for a technician who has lost their passkeys: one administrator starts it, a second approves, the technician redeems. */
export interface Recovery {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  reason: string;
  state: RecoveryState;
  startedBy: Id;
  startedAt: Date;
  approvedBy: Id | null;
  expiresAt: Date;
}

/** How long it waits for the second administrator, and then again for the technician. */
export const recoverySeconds = 24 * 3600;

export type RecoveryCommand = { do: 'approve'; by: Id } | { do: 'cancel' } | { do: 'redeem' };

/** What people see: a recovery that waited too long has expired. */
export function recoveryStateAt(recovery: Recovery, now: Date): RecoveryState | 'EXPIRED' {
  const open = recovery.state === 'PENDING' || recovery.state === 'APPROVED';
  return open && recovery.expiresAt <= now ? 'EXPIRED' : recovery.state;
}

/** The recovery after a command, or why the command is refused. */
export function decideRecovery(recovery: Recovery, command: RecoveryCommand, now: Date): Recovery | { refused: string } {
  const state = recoveryStateAt(recovery, now);
  switch (command.do) {
    case 'approve':
      if (state !== 'PENDING') return { refused: `This recovery is ${state}. Only a pending one can be approved.` };
      if (command.by === recovery.startedBy) return { refused: 'A second administrator must approve what you started.' };
      if (command.by === recovery.technicianId) return { refused: 'Nobody approves their own recovery.' };
      return { ...recovery, state: 'APPROVED', approvedBy: command.by, expiresAt: addSeconds(now, recoverySeconds) };
    case 'cancel':
      if (state !== 'PENDING' && state !== 'APPROVED') return { refused: `This recovery is ${state}. There is nothing to cancel.` };
      return { ...recovery, state: 'CANCELLED' };
    case 'redeem':
      if (state !== 'APPROVED') return { refused: `This recovery is ${state}.` };
      return { ...recovery, state: 'REDEEMED' };
  }
}

/** An administrator as far as a recovery asks. */
export interface Administrator {
  id: Id;
  /** Active and joined. */
  active: boolean;
  /** The tenants where they hold `technician.write`, each with all below. */
  over: readonly Id[];
}

/**
 * Why an administrator may not take part in a technician's recovery, or null. They must administer technicians where the
 * technician lives and wherever the technician holds a role: else a customer's administrator could become the MSP's.
 */
export function refuseAdministrator(administrator: Administrator, technicianId: Id, paths: readonly (readonly Id[])[]): string | null {
  if (administrator.id === technicianId) return 'Nobody takes part in their own recovery. Ask two other administrators.';
  const reaches = paths.every((path) => path.some((tenant) => administrator.over.includes(tenant)));
  return administrator.active && reaches
    ? null
    : 'The administrator must be active and administer technicians wherever this technician holds a role.';
}
