import { Injectable } from '@nestjs/common';
import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Technician } from './technician.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  email: string;
  display_name: string;
  active: boolean;
  switched_off: boolean;
  source_off: boolean;
  source_object_id: string | null;
  joined_at: Date | null;
  totp_enrolled: boolean;
  version: number;
}
const columns = `t.msp_id, t.tenant_id, t.id, t.email, t.display_name, t.active, t.switched_off, t.source_off, t.joined_at, t.version,
  case when t.sourced then t.source_object_id end as source_object_id,
  exists (select 1 from totp where totp.msp_id = t.msp_id and totp.id = t.id and totp.confirmed_at is not null) as totp_enrolled`;

@Injectable()
export class TechnicianRepository {
  /** Inserts a technician who has yet to join; false when the id or the email is taken. */
  async insert(tx: Tx, technician: Pick<Technician, 'mspId' | 'tenantId' | 'id' | 'email'>): Promise<boolean> {
    const { mspId, tenantId, id, email } = technician;
    const rows = await tx.query(
      'insert into technician (msp_id, tenant_id, id, email) values ($1, $2, $3, $4) on conflict do nothing returning id',
      [mspId, tenantId, id, email],
    );
    return rows.length > 0;
  }

  /** A name that the user source tells stays. */
  async join(tx: Tx, mspId: Id, id: Id, displayName: string, now: Date): Promise<void> {
    await tx.query(
      'update technician set display_name = case when sourced then display_name else $3 end, joined_at = $4 where msp_id = $1 and id = $2',
      [mspId, id, displayName, now],
    );
  }

  async setSwitchedOff(tx: Tx, mspId: Id, id: Id, switchedOff: boolean): Promise<void> {
    await tx.query('update technician set switched_off = $3 where msp_id = $1 and id = $2', [mspId, id, switchedOff]);
  }

  async nextVersion(tx: Tx, mspId: Id, id: Id): Promise<void> {
    await tx.query('update technician set version = version + 1 where msp_id = $1 and id = $2', [mspId, id]);
  }

  /** Locked until the transaction ends. */
  async lock(tx: Tx, mspId: Id, id: Id): Promise<Technician | null> {
    const [row] = await tx.query<Row>(`select ${columns} from technician t where t.msp_id = $1 and t.id = $2 for update of t`, [mspId, id]);
    return row === undefined ? null : asTechnician(row);
  }

  /** The technician with this id, of whatever MSP: ids are unique across all. */
  async findById(tx: SystemTx, id: Id): Promise<Technician | null> {
    const [row] = await tx.query<Row>(`select ${columns} from technician t where t.id = $1`, [id]);
    return row === undefined ? null : asTechnician(row);
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Technician[]> {
    return (await tx.query<Row>(`select ${columns} from technician t where t.msp_id = $1 and t.id = any($2)`, [mspId, ids])).map(
      asTechnician,
    );
  }

  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<Technician[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from technician t where t.msp_id = $1 and t.tenant_id = $2 and ($3::uuid is null or t.id > $3) order by t.id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asTechnician);
  }
}

function asTechnician(row: Row): Technician {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    active: row.active,
    switchedOff: row.switched_off,
    sourceOff: row.source_off,
    sourceObjectId: row.source_object_id,
    joined: row.joined_at !== null,
    totpEnrolled: row.totp_enrolled,
    version: row.version,
  };
}
