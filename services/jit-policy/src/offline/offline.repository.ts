import type { Id } from '@stint/kernel';
import type { RoleAssignment } from '@stint/contracts';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import type { OfflineLock } from './offline-login.domain.ts';

interface TechnicianRow {
  id: Id;
  tenant_id: Id;
  email: string;
  display_name: string;
  active: boolean;
  assignments: RoleAssignment[];
  group_ids: Id[];
  totp_enrolled: boolean;
}
/** More than any MSP has: a bound on what is looked at. */
const mostTechnicians = 5_000;

/** What is looked up for offline logins alone. */
export class OfflineRepository {
  /**
   * Active technicians with TOTP who hold a role on the device's tenant or above it, without their keys. As the system:
   * they live above the device's tenant, where the device cannot look.
   */
  async technicians(tx: SystemTx, device: DeviceCopy): Promise<TechnicianCopy[]> {
    const rows = await tx.query<TechnicianRow>(
      `select t.id, t.tenant_id, t.email, t.display_name, t.active, t.assignments, t.group_ids, t.totp_enrolled
       from technician t join tenant place on place.msp_id = t.msp_id and place.id = $2
       where t.msp_id = $1 and t.active and t.totp_enrolled
         and exists (select 1 from jsonb_array_elements(t.assignments) held where (held ->> 'tenantId')::uuid = any(place.path))
       order by t.id limit $3`,
      [device.mspId, device.tenantId, mostTechnicians],
    );
    return rows.map((row) => ({
      mspId: device.mspId,
      tenantId: row.tenant_id,
      id: row.id,
      email: row.email,
      displayName: row.display_name,
      active: row.active,
      assignments: row.assignments,
      groupIds: row.group_ids,
      totpEnrolled: row.totp_enrolled,
      keys: [],
    }));
  }

  /** Those of `locks` that the device did not tell before; they are noted. */
  async newLocks(tx: SystemTx, device: DeviceCopy, locks: readonly OfflineLock[], now: Date): Promise<OfflineLock[]> {
    const fresh = new Map(locks.map((lock) => [lock.id, lock]));
    const rows = await tx.query<{ id: Id }>(
      `insert into offline_lock (msp_id, tenant_id, device_id, id, taken_at) select $1, $2, $3, id, $5 from unnest($4::uuid[]) as id
       on conflict do nothing returning id`,
      [device.mspId, device.tenantId, device.id, [...fresh.keys()], now],
    );
    const inserted = new Set(rows.map(({ id }) => id));
    return [...fresh.values()].filter(({ id }) => inserted.has(id));
  }

  /** When each technician was given access to the device last. */
  async lastUse(tx: Tx, mspId: Id, deviceId: Id): Promise<Map<Id, Date>> {
    const rows = await tx.query<{ technician_id: Id; at: Date }>(
      'select technician_id, max(approved_at) as at from jit_grant where msp_id = $1 and device_id = $2 group by technician_id',
      [mspId, deviceId],
    );
    return new Map(rows.map((row) => [row.technician_id, row.at]));
  }
}
