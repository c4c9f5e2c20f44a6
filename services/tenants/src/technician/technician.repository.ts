import { Injectable } from '@nestjs/common';
import type { Role } from '@stint/contracts';
import type { Id, PageRequest } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import type { Technician } from './technician.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  email: string;
  display_name: string;
  roles: Role[];
  active: boolean;
  joined_at: Date | null;
  totp_enrolled: boolean;
  version: number;
}
const columns = `t.msp_id, t.tenant_id, t.id, t.email, t.display_name, t.roles, t.active, t.joined_at, t.version,
  exists (select 1 from totp where totp.msp_id = t.msp_id and totp.id = t.id and totp.confirmed_at is not null) as totp_enrolled`;

@Injectable()
export class TechnicianRepository {
  /** Inserts a technician who has yet to join; false when the id or the email is taken. */
  async insert(tx: Tx, technician: Pick<Technician, 'mspId' | 'tenantId' | 'id' | 'email' | 'roles'>): Promise<boolean> {
    const { mspId, tenantId, id, email, roles } = technician;
    const rows = await tx.query(
      'insert into technician (msp_id, tenant_id, id, email, roles) values ($1, $2, $3, $4, $5) on conflict do nothing returning id',
      [mspId, tenantId, id, email, roles],
    );
    return rows.length > 0;
  }

  async join(tx: Tx, mspId: Id, id: Id, displayName: string, now: Date): Promise<void> {
    await tx.query('update technician set display_name = $3, joined_at = $4, version = version + 1 where msp_id = $1 and id = $2', [
      mspId,
      id,
      displayName,
      now,
    ]);
  }

  async change(tx: Tx, mspId: Id, id: Id, roles: readonly Role[], active: boolean): Promise<void> {
    await tx.query('update technician set roles = $3, active = $4, version = version + 1 where msp_id = $1 and id = $2', [
      mspId,
      id,
      roles,
      active,
    ]);
  }

  /** Locked until the transaction ends. */
  async lock(tx: Tx, mspId: Id, id: Id): Promise<Technician | null> {
    const [row] = await tx.query<Row>(`select ${columns} from technician t where t.msp_id = $1 and t.id = $2 for update of t`, [mspId, id]);
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

  /** Active administrators of the tenant besides this one, locked so that two cannot leave at once. */
  async otherAdministrators(tx: Tx, mspId: Id, tenantId: Id, id: Id): Promise<number> {
    const rows = await tx.query(
      `select id from technician where msp_id = $1 and tenant_id = $2 and id <> $3 and active and joined_at is not null and 'ADMINISTRATOR' = any(roles) order by id for update`,
      [mspId, tenantId, id],
    );
    return rows.length;
  }
}

function asTechnician(row: Row): Technician {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    email: row.email,
    displayName: row.display_name,
    roles: row.roles,
    active: row.active,
    joined: row.joined_at !== null,
    totpEnrolled: row.totp_enrolled,
    version: row.version,
  };
}
