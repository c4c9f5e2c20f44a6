import { idTime, type Id } from '@stint/kernel';

/** An MSP (the root) or one of its customers. */
export interface Tenant {
  mspId: Id;
  id: Id;
  parentId: Id | null;
  /** Ancestors from the MSP down to the tenant itself. */
  path: readonly Id[];
  name: string;
  createdAt: Date;
  /** Grows with every change; copies in other services apply only newer ones. */
  version: number;
}

const freshSeconds = 300;
const deepest = 8;

/** The root of a new tree. */
export function newMsp(id: Id, name: string, now: Date): Tenant {
  return { mspId: id, id, parentId: null, path: [id], name, createdAt: now, version: 1 };
}

/** A customer below `parent`. */
export function newCustomer(id: Id, parent: Tenant, name: string, now: Date): Tenant {
  return { mspId: parent.mspId, id, parentId: parent.id, path: [...parent.path, id], name, createdAt: now, version: 1 };
}

/** True while there may be a level below. */
export function mayHaveChildren(tenant: Tenant): boolean {
  return tenant.path.length < deepest;
}

/**
 * A caller's id for a new tenant must carry the present time, give or take 5 minutes: other services wait for a tenant
 * they do not know yet only while its id says that it can have been made a moment ago (ADR 0005).
 */
export function isFreshId(id: Id, now: Date): boolean {
  return Math.abs(idTime(id).getTime() - now.getTime()) <= freshSeconds * 1000;
}
