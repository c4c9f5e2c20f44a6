import { Injectable } from '@nestjs/common';
import type { Permission } from '@stint/contracts';
import type { Id, PageRequest } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import type { ApiClient } from './api-client.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  client_id: Id;
  name: string;
  permissions: Permission[];
  active: boolean;
}
const columns = 'msp_id, tenant_id, id, client_id, name, permissions, active';

@Injectable()
export class ApiClientRepository {
  /** Inserts an API client; false when its id is taken. */
  async insert(tx: Tx, client: ApiClient): Promise<boolean> {
    const rows = await tx.query(
      'insert into api_client (msp_id, tenant_id, id, client_id, name, permissions) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id',
      [client.mspId, client.tenantId, client.id, client.clientId, client.name, client.permissions],
    );
    return rows.length > 0;
  }

  async revoke(tx: Tx, mspId: Id, id: Id): Promise<boolean> {
    return (
      (await tx.query('update api_client set active = false where msp_id = $1 and id = $2 and active returning id', [mspId, id])).length > 0
    );
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<ApiClient[]> {
    return (await tx.query<Row>(`select ${columns} from api_client where msp_id = $1 and id = any($2)`, [mspId, ids])).map(asClient);
  }

  async list(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<ApiClient[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from api_client where msp_id = $1 and tenant_id = $2 and ($3::uuid is null or id > $3) order by id limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
    return rows.map(asClient);
  }
}

function asClient(row: Row): ApiClient {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    clientId: row.client_id,
    name: row.name,
    permissions: row.permissions,
    active: row.active,
  };
}
