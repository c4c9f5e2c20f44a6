import type { Permission } from '@stint/contracts';
import type { Id } from '@stint/kernel';

/** A partner integration or PSA/RMM plugin. */
export interface ApiClient {
  mspId: Id;
  tenantId: Id;
  id: Id;
  /** The OAuth client id: its credential's id. */
  clientId: Id;
  name: string;
  permissions: readonly Permission[];
  active: boolean;
}

/** The permissions in `wanted` that `held` does not have: nobody gives away what they do not hold. */
export function surplus(wanted: readonly Permission[], held: readonly Permission[]): Permission[] {
  return wanted.filter((permission) => !held.includes(permission));
}
