import { maxAssignments, rolePermissions, type Access, type Role } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { ownedBySource } from '../user-source/source-person.domain.ts';

/** A role held by a technician on a tenant: it counts for that tenant and all below. */
export interface HeldRole {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  role: Role;
  /** The user source gives it and takes it away. */
  fromSource: boolean;
}

/** Administers the whole MSP: what must always be held by somebody who has joined and is active. */
export function administersMsp(held: Pick<HeldRole, 'role' | 'tenantId' | 'mspId'>): boolean {
  return held.role === 'ADMINISTRATOR' && held.tenantId === held.mspId;
}

/** Why a role may not be given, or null when it may: nobody gives away what they do not hold there (`access` as it reaches the tenant). */
export function refuseAssignment(input: { role: Role; access: readonly Access[]; path: readonly Id[]; held: number }): string | null {
  const own = new Set(input.access.filter(({ tenantId }) => input.path.includes(tenantId)).flatMap(({ permissions }) => permissions));
  const missing = rolePermissions[input.role].filter((permission) => !own.has(permission));
  if (missing.length > 0) return `You do not hold ${missing.join(', ')} there yourself.`;
  return input.held >= maxAssignments
    ? `A technician can hold ${maxAssignments} roles at most. Give one on a tenant further up instead.`
    : null;
}

/** Why a role may not be taken away, or null when it may. */
export function refuseRemoval(held: HeldRole, otherAdministrators: number): string | null {
  if (held.fromSource) return ownedBySource.role;
  return administersMsp(held) && otherAdministrators === 0 ? 'This is the last administrator of the MSP. Make another one first.' : null;
}
