import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** Our copies of technician groups. A message is applied only if its version is newer. */
@Injectable()
export class TechnicianGroupRepository {
  async save(tx: SystemTx, group: Payload<'group-changed'>): Promise<void> {
    await tx.query(
      `insert into technician_group (msp_id, tenant_id, id, name, version) values ($1, $2, $3, $4, $5)
       on conflict (msp_id, id) do update set name = excluded.name, version = excluded.version where technician_group.version < excluded.version`,
      [group.mspId, group.tenantId, group.groupId, group.name, group.version],
    );
  }

  /** Those of the groups that stand in the tenant itself and are visible in the scope. */
  async ofTenant(tx: Tx, mspId: Id, tenantId: Id, ids: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>('select id from technician_group where msp_id = $1 and tenant_id = $2 and id = any($3)', [
      ...[mspId, tenantId, ids],
    ]);
    return new Set(rows.map(({ id }) => id));
  }
}
