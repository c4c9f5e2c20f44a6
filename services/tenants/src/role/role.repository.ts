import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { HeldRole } from './role.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  role: HeldRole['role'];
  from_source: boolean;
}
const columns = 'r.msp_id, r.tenant_id, r.id, r.technician_id, r.role, r.from_source';

/** Which technician holds which role where. */
@Injectable()
export class RoleRepository {
  /** Adds the role; false when its id is taken or it is held already. */
  async insert(tx: Tx, held: Omit<HeldRole, 'fromSource'>): Promise<boolean> {
    const rows = await tx.query(
      'insert into role_assignment (msp_id, tenant_id, id, technician_id, role) values ($1, $2, $3, $4, $5) on conflict do nothing returning id',
      [held.mspId, held.tenantId, held.id, held.technicianId, held.role],
    );
    return rows.length > 0;
  }

  async remove(tx: Tx, mspId: Id, id: Id): Promise<void> {
    await tx.query('delete from role_assignment where msp_id = $1 and id = $2', [mspId, id]);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<HeldRole | null> {
    const [row] = await tx.query<Row>(`select ${columns} from role_assignment r where r.msp_id = $1 and r.id = $2`, [mspId, id]);
    return row === undefined ? null : asHeldRole(row);
  }

  /** The roles of several technicians that are visible in the scope, oldest first. */
  async ofTechnicians(tx: Tx, mspId: Id, technicianIds: readonly Id[]): Promise<HeldRole[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from role_assignment r where r.msp_id = $1 and r.technician_id = any($2) order by r.id`,
      [mspId, technicianIds],
    );
    return rows.map(asHeldRole);
  }

  /** Active administrators of the whole MSP besides this technician, locked so that two cannot leave at once. */
  async otherAdministrators(tx: SystemTx, mspId: Id, technicianId: Id): Promise<number> {
    const rows = await tx.query(
      `select t.id from technician t where t.msp_id = $1 and t.id <> $2 and t.active and t.joined_at is not null
       and exists (select 1 from role_assignment r where r.msp_id = t.msp_id and r.technician_id = t.id and r.tenant_id = t.msp_id and r.role = 'ADMINISTRATOR')
       order by t.id for update of t`,
      [mspId, technicianId],
    );
    return rows.length;
  }
}

function asHeldRole(row: Row): HeldRole {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    technicianId: row.technician_id,
    role: row.role,
    fromSource: row.from_source,
  };
}
