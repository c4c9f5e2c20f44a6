import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

export interface ReconciledTenant {
  mspId: Id;
  tenantId: Id;
  failures: number;
}

/** Tenants whose accounts are compared, and when. */
@Injectable()
export class ReconcileRepository {
  /** Every tenant with a connection that has worked is compared, as long as its connection lasts. */
  async follow(tx: SystemTx, now: Date): Promise<void> {
    await tx.query(
      `insert into reconciled_tenant (msp_id, tenant_id, due_at)
       select msp_id, tenant_id, $1 from entra_connection where state in ('READY', 'BROKEN', 'DISCONNECTING')
       on conflict (msp_id, tenant_id) do nothing`,
      [now],
    );
    await tx.query(
      `delete from reconciled_tenant r using entra_connection c
       where c.msp_id = r.msp_id and c.tenant_id = r.tenant_id and c.state = 'DISCONNECTED'`,
    );
  }

  /** Takes tenants whose time has come, and sets when it comes again: whoever dies on the way is followed by the next round. */
  async claim(tx: SystemTx, now: Date, next: Date, limit: number): Promise<ReconciledTenant[]> {
    return tx.query<ReconciledTenant>(
      `update reconciled_tenant r set due_at = $2 from (
         select msp_id, tenant_id from reconciled_tenant where due_at <= $1 order by due_at limit $3 for update skip locked
       ) due where due.msp_id = r.msp_id and due.tenant_id = r.tenant_id
       returning r.msp_id as "mspId", r.tenant_id as "tenantId", r.failures`,
      [now, next, limit],
    );
  }

  async later(tx: SystemTx, { mspId, tenantId }: ReconciledTenant, dueAt: Date, failures: number): Promise<void> {
    await tx.query('update reconciled_tenant set due_at = $3, failures = $4 where msp_id = $1 and tenant_id = $2', [
      ...[mspId, tenantId, dueAt, failures],
    ]);
  }
}
