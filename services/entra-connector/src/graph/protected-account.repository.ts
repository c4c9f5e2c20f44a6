import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';

/** Accounts of customers' Entra tenants that Stint never touches, by their object ids. */
@Injectable()
export class ProtectedAccountRepository {
  /** Why it must not be touched; null when it may. */
  async why(tx: Tx, mspId: Id, tenantId: Id, objectId: string): Promise<string | null> {
    const [row] = await tx.query<{ why: string }>(
      'select why from protected_account where msp_id = $1 and tenant_id = $2 and object_id = $3',
      [mspId, tenantId, objectId.toLowerCase()],
    );
    return row?.why ?? null;
  }

  async add(tx: Tx, { mspId, tenantId, objectId }: { mspId: Id; tenantId: Id; objectId: string }, why: string): Promise<void> {
    await tx.query(
      `insert into protected_account (msp_id, tenant_id, object_id, why) values ($1, $2, $3, $4)
       on conflict (msp_id, tenant_id, object_id) do update set why = excluded.why`,
      [mspId, tenantId, objectId.toLowerCase(), why],
    );
  }

  async remove(tx: Tx, { mspId, tenantId, objectId }: { mspId: Id; tenantId: Id; objectId: string }): Promise<void> {
    await tx.query('delete from protected_account where msp_id = $1 and tenant_id = $2 and object_id = $3', [
      mspId,
      tenantId,
      objectId.toLowerCase(),
    ]);
  }
}
