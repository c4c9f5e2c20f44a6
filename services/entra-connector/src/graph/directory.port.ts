import type { Id } from '@stint/kernel';
import type { GroupDirectory } from './groups.port.ts';
import type { PassDirectory } from './passes.port.ts';
import type { RoleDirectory } from './roles.port.ts';
import type { TenantFacts } from './tenant-facts.port.ts';
import type { UserDirectory } from './users.port.ts';

/** Somebody waits for it (`HIGH`), or it is a sweep's or a synchronization's work (`LOW`): who is throttled first. */
export type Urgency = 'HIGH' | 'LOW';

/**
 * One customer's Entra tenant, in our words. Every call asks Microsoft, so none belongs into a transaction. Every call can fail with
 * a `DirectoryError` of the kinds FORBIDDEN, THROTTLED, UNAVAILABLE and CREDENTIAL; each method names the kinds that it has besides.
 * Calls wait and try again by themselves where that is safe, for some seconds; what still fails is for the caller to try much later.
 */
export interface EntraDirectory {
  /** Microsoft's id of the tenant: object ids count in it alone. */
  entraTenantId: string;
  users: UserDirectory;
  roles: RoleDirectory;
  passes: PassDirectory;
  groups: GroupDirectory;
  tenant: TenantFacts;
}

/** The way to the Entra tenant that is connected to a tenant of Stint. Inject it by this class. */
export abstract class EntraAccess {
  /**
   * The directory of a connected tenant, also while it is being disconnected. Opens its own transactions. `DirectoryError` CREDENTIAL
   * with `NOT_CONNECTED` where there is no connection. Cheap: ask for it for each piece of work and do not keep it, so that a new
   * credential is used at once.
   */
  abstract of(mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory>;
}
