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
  /** From now on this tenant is compared; one that was already is compared at once. */
  async watch(tx: SystemTx, mspId: Id, tenantId: Id, now: Date): Promise<void> {
    await tx.query(
      `insert into reconciled_tenant (msp_id, tenant_id, due_at) values ($1, $2, $3)
       on conflict (msp_id, tenant_id) do update set due_at = least(reconciled_tenant.due_at, excluded.due_at)`,
      [mspId, tenantId, now],
    );
  }

  async unwatch(tx: SystemTx, mspId: Id, tenantId: Id): Promise<void> {
    await tx.query('delete from reconciled_tenant where msp_id = $1 and tenant_id = $2', [mspId, tenantId]);
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
