import type { RoleAssignment } from '../graph/roles.port.ts';
import type { AssignmentKind, EntraGrant } from '../grant/grant.domain.ts';
import type { EntraAccount, Sighting } from './account.domain.ts';

/** What is to be done next about an account. */
export type Step =
  // Asks Entra, changes nothing there.
  | { do: 'LOOK' }
  | { do: 'CHECK'; grant: EntraGrant }
  | Change
  // Concludes from what was seen.
  | { do: 'NOTE_ROLE'; grant: EntraGrant; assignment: RoleAssignment; kind: AssignmentKind }
  | { do: 'ACTIVATE' | 'CONCLUDE'; grant: EntraGrant }
  | { do: 'FAIL'; grant: EntraGrant; why: string }
  | { do: 'FORGET' }
  // Waits: for Entra to show what was done, or for a time to come.
  | { do: 'AWAIT'; why: string }
  | { do: 'REST'; until: Date | null; problem: string | null };

/** Changes one thing in Entra. */
export type Change =
  | { do: 'CREATE_USER' | 'ENABLE' | 'ISSUE_CREDENTIAL' | 'ASSIGN_ROLE'; grant: EntraGrant }
  | { do: 'CHANGE_END'; grant: EntraGrant; assignment: RoleAssignment; endsAt: Date }
  | { do: 'REMOVE_ROLE'; grant: EntraGrant | null; assignment: RoleAssignment }
  | { do: 'DELETE_PASS'; passId: string }
  | { do: 'DISABLE' | 'REVOKE_SESSIONS' | 'RESET_PASSWORD' | 'DELETE_USER' | 'PURGE_USER' };

/** An account with the grants on it that are not concluded, and what else decides. */
export interface Situation {
  account: EntraAccount;
  grants: readonly EntraGrant[];
  /** False: the technician is switched off, so that nothing begins and nothing lasts. */
  technicianActive: boolean;
  /** Why grants must not touch the account; null when they may. */
  protectedBy: string | null;
  now: Date;
}

/** The same, looked at: which grants should be there now, and which are over. */
export interface View extends Situation {
  live: readonly EntraGrant[];
  over: readonly EntraGrant[];
  sighting: Sighting;
}

/** Is the assignment what the grant is of? */
export function isFor(grant: EntraGrant, { roleDefinitionId, scope }: RoleAssignment): boolean {
  return grant.roleDefinitionId === roleDefinitionId && grant.scope.toLowerCase() === scope.toLowerCase();
}

export function earliest(...instants: readonly (Date | null)[]): Date | null {
  const times = instants.filter((at) => at !== null).map((at) => at.getTime());
  return times.length === 0 ? null : new Date(Math.min(...times));
}
