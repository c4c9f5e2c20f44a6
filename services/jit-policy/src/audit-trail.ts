import type { Id } from '@stint/kernel';
import { audit, type AuditRecord } from '@stint/messaging';
import type { SystemTx, TenantTx } from '@stint/tenancy';

/** A transaction that may change things: of a request in one tenant, or of the system. */
export type WriteTx = TenantTx | SystemTx;

/** Audits what happened to a thing of tenant `of`, in the transaction of the effect. */
export async function auditOf(tx: WriteTx, of: { mspId: Id; tenantId: Id }, record: AuditRecord): Promise<void> {
  if ('scope' in tx) return audit(tx, record);
  return audit(tx, { ...record, mspId: of.mspId, tenantId: of.tenantId });
}
