import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { TechnicianCopy, TenantCopy } from './directory.domain.ts';

/** Our copies of tenants and technicians. A message is applied only if its version is newer. */
@Injectable()
export class DirectoryRepository {
  async tenant(tx: Tx, mspId: Id, id: Id): Promise<TenantCopy | null> {
    const [row] = await tx.query<{ msp_id: Id; id: Id; path: Id[]; name: string }>(
      'select msp_id, id, path, name from tenant where msp_id = $1 and id = $2',
      [mspId, id],
    );
    return row === undefined ? null : { mspId: row.msp_id, id: row.id, path: row.path, name: row.name };
  }

  async technician(tx: Tx, mspId: Id, id: Id): Promise<TechnicianCopy | null> {
    const [row] = await tx.query<{
      msp_id: Id;
      tenant_id: Id;
      id: Id;
      email: string;
      display_name: string;
      active: boolean;
      group_ids: Id[];
    }>('select msp_id, tenant_id, id, email, display_name, active, group_ids from technician where msp_id = $1 and id = $2', [mspId, id]);
    if (row === undefined) return null;
    return {
      ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, email: row.email },
      ...{ displayName: row.display_name, active: row.active, groupIds: row.group_ids },
    };
  }

  /** Those of `ids` that are visible in the scope. */
  async visibleTenants(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>('select id from tenant where msp_id = $1 and id = any($2)', [mspId, ids]);
    return new Set(rows.map((row) => row.id));
  }

  async saveTenant(tx: SystemTx, tenant: Payload<'tenant-changed'>): Promise<void> {
    await tx.query(
      `insert into tenant (msp_id, tenant_id, id, parent_id, path, name, version) values ($1, $2, $2, $3, $4, $5, $6)
       on conflict (msp_id, id) do update set parent_id = excluded.parent_id, path = excluded.path, name = excluded.name,
         version = excluded.version
       where tenant.version < excluded.version`,
      [tenant.mspId, tenant.tenantId, tenant.parentId, tenant.path, tenant.name, tenant.version],
    );
  }

  /** Applies the message if it is newer than the copy; false when it is old. */
  async saveTechnician(tx: SystemTx, technician: Payload<'technician-changed'>): Promise<boolean> {
    const rows = await tx.query(
      `insert into technician (msp_id, tenant_id, id, email, display_name, active, group_ids, source_object_id, version)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (msp_id, id) do update set tenant_id = excluded.tenant_id, email = excluded.email, display_name = excluded.display_name,
         active = excluded.active, group_ids = excluded.group_ids,
         source_object_id = excluded.source_object_id, version = excluded.version
       where technician.version < excluded.version returning id`,
      [
        ...[technician.mspId, technician.tenantId, technician.technicianId, technician.email, technician.displayName],
        ...[technician.active, technician.groupIds, technician.sourceObjectId ?? null, technician.version],
      ],
    );
    return rows.length === 1;
  }
}
