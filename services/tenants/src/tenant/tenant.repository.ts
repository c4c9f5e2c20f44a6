import { Injectable } from '@nestjs/common';
import type { Id, PageRequest } from '@stint/kernel';
import { reachOf, type Actor } from '@stint/contracts';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Tenant } from './tenant.domain.ts';

interface Row {
  msp_id: Id;
  id: Id;
  parent_id: Id | null;
  path: Id[];
  name: string;
  created_at: Date;
  version: number;
}
const columns = 'msp_id, id, parent_id, path, name, created_at, version';

@Injectable()
export class TenantRepository {
  /** Inserts a tenant; false when its id is taken. */
  async insert(tx: Tx, tenant: Tenant): Promise<boolean> {
    const rows = await tx.query(
      `insert into tenant (msp_id, tenant_id, id, parent_id, path, name, created_at, version)
       values ($1, $2, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id`,
      [tenant.mspId, tenant.id, tenant.parentId, tenant.path, tenant.name, tenant.createdAt, tenant.version],
    );
    return rows.length > 0;
  }

  async rename(tx: Tx, mspId: Id, id: Id, name: string): Promise<Tenant | null> {
    const [row] = await tx.query<Row>(
      `update tenant set name = $3, version = version + 1 where msp_id = $1 and id = $2 returning ${columns}`,
      [mspId, id, name],
    );
    return row === undefined ? null : asTenant(row);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<Tenant | null> {
    const [found] = await this.findMany(tx, mspId, [id]);
    return found ?? null;
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Tenant[]> {
    return (await tx.query<Row>(`select ${columns} from tenant where msp_id = $1 and id = any($2)`, [mspId, ids])).map(asTenant);
  }

  /** The tenant, when the actor reaches it: for work across tenants, where no scope says so. */
  async reached(tx: SystemTx, actor: Actor, id: Id): Promise<Tenant | null> {
    const tenant = await this.find(tx, actor.mspId, id);
    const reach = reachOf(actor);
    return tenant?.path.some((one) => reach.includes(one)) === true ? tenant : null;
  }

  /** All tenants in the scope's reach, oldest first, one more than the page. */
  async list(tx: Tx, mspId: Id, page: PageRequest): Promise<Tenant[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from tenant where msp_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
      [mspId, page.after, page.first + 1],
    );
    return rows.map(asTenant);
  }

  /** True when there is an MSP already. */
  async any(tx: Tx): Promise<boolean> {
    return (await tx.query('select 1 from tenant limit 1')).length > 0;
  }
}

function asTenant(row: Row): Tenant {
  return {
    mspId: row.msp_id,
    id: row.id,
    parentId: row.parent_id,
    path: row.path,
    name: row.name,
    createdAt: row.created_at,
    version: row.version,
  };
}
