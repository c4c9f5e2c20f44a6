import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { EntraConnection } from './entra-access.domain.ts';

/** Our copy of which tenants are connected to Entra. */
@Injectable()
export class EntraConnectionRepository {
  async save(tx: SystemTx, { mspId, tenantId, usable, problem, version }: Payload<'entra-connection-changed'>): Promise<void> {
    await tx.query(
      `insert into entra_connection (msp_id, tenant_id, id, usable, problem, version) values ($1, $2, $2, $3, $4, $5)
       on conflict (msp_id, id) do update set usable = excluded.usable, problem = excluded.problem, version = excluded.version
       where entra_connection.version < excluded.version`,
      [mspId, tenantId, usable, problem, version],
    );
  }

  async find(tx: Tx, mspId: Id, tenantId: Id): Promise<EntraConnection | null> {
    const [row] = await tx.query<EntraConnection>('select usable, problem from entra_connection where msp_id = $1 and id = $2', [
      mspId,
      tenantId,
    ]);
    return row ?? null;
  }
}
