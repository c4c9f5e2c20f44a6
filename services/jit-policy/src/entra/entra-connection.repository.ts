import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { SystemTx } from '@stint/tenancy';

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
}
