import { maxAssignments, maxGroupsOfTechnician, type SourceTechnician } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/**
 * Why a person of the source is not here as they should be. LOCAL_TECHNICIAN: somebody here has the address, and an administrator
 * says whether they are the same. ADDRESS_TAKEN: another person has it. LAST_ADMINISTRATOR: nobody else administers the MSP.
 * GROUP_UNKNOWN: a group has not arrived yet, or is gone. LIMIT: more groups or roles than a technician can have.
 */
export type SourceConflictKind = 'LOCAL_TECHNICIAN' | 'ADDRESS_TAKEN' | 'LAST_ADMINISTRATOR' | 'GROUP_UNKNOWN' | 'LIMIT';

/** A person of a tenant's user source, as they must be. Who they are is the object id; the address is only an attribute. */
export interface SourcePerson extends SourceTechnician {
  mspId: Id;
  tenantId: Id;
  id: Id;
  version: number;
  conflict: SourceConflictKind | null;
  leftAlone: boolean;
}

/** Who has an address here now. */
export interface AddressHolder {
  technicianId: Id;
  /** Comes from the same source. */
  sourced: boolean;
  /** Their own source says that the address is theirs: they are present, and it is what they must have. */
  claims: boolean;
}

/** FREE: take it. PARK: its holder has lost it and is given a placeholder first. LOCAL, TAKEN: not now. */
export type AddressAnswer = 'FREE' | 'PARK' | 'LOCAL' | 'TAKEN';

/**
 * Whether somebody gets an address. It goes to whom the source says has it now: who is not there any more, or has another one by now,
 * gives it up. It is never taken from a technician who does not come from the source.
 */
export function mayTakeAddress(holder: AddressHolder | null, technicianId: Id | null): AddressAnswer {
  if (holder === null || holder.technicianId === technicianId) return 'FREE';
  if (!holder.sourced) return 'LOCAL';
  return holder.claims ? 'TAKEN' : 'PARK';
}

/** The address of somebody whose own has gone to another object, and who has no other: nobody can receive anything there (RFC 6761). */
export function parkedAddress(objectId: string): string {
  return `${objectId}@address-moved.invalid`;
}

/** What the source gives of what is wanted, beside what people gave: in a fixed order, as many as fit. */
export function fitting(
  wanted: Pick<SourceTechnician, 'groupIds' | 'roles'>,
  known: { groupIds: readonly Id[]; localGroups: number; localRoles: number },
): Pick<SourceTechnician, 'groupIds' | 'roles'> & { conflict: 'GROUP_UNKNOWN' | 'LIMIT' | null } {
  const there = wanted.groupIds.filter((one) => known.groupIds.includes(one)).sort();
  const groupIds = there.slice(0, Math.max(0, maxGroupsOfTechnician - known.localGroups));
  const roles = [...wanted.roles].sort().slice(0, Math.max(0, maxAssignments - known.localRoles));
  const cut = groupIds.length < there.length || roles.length < wanted.roles.length;
  return { groupIds, roles, conflict: cut ? 'LIMIT' : there.length < wanted.groupIds.length ? 'GROUP_UNKNOWN' : null };
}

/** Why what somebody wants to set by hand is refused, because the source sets it. */
export const ownedBySource = {
  active:
    'Entra ID says that this person is disabled, deleted or in none of the chosen groups. Change it there; it counts here within minutes.',
  role: 'This role comes with a group in Entra ID. Take the person out of that group, or the role away from the group.',
  group: 'The members of this group come from Entra ID. Add and remove people there; here you can only take out who was put in by hand.',
} as const;
