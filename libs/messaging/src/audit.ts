import type { Actor, AuditAction, AuditEvent } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx, TenantTx } from '@stint/tenancy';
import { emit } from './emit.ts';

/** What happened, in the words of the audit log. */
export interface AuditRecord {
  action: AuditAction;
  /** To what, for example a grant's id. */
  subjectId: Id;
  /** Short facts for the reader; no secrets. */
  details?: AuditEvent['details'];
  occurredAt: Date;
  /** Who did it, where that is not the scope's own actor; null for the system. */
  actor?: Pick<Actor, 'kind' | 'id'> | null;
}

/** Records an audit event in the transaction of its effect: neither exists without the other. */
export async function audit(tx: TenantTx, record: AuditRecord): Promise<void>;
/** The same where it may be work of the system, which says whose tenant it is. */
export async function audit(tx: SystemTx | TenantTx, record: AuditRecord & { mspId: Id; tenantId: Id }): Promise<void>;
export async function audit(tx: TenantTx | SystemTx, record: AuditRecord & { mspId?: Id; tenantId?: Id }): Promise<void> {
  const scope = 'scope' in tx ? tx.scope : { mspId: record.mspId ?? '', tenantId: record.tenantId ?? '', actor: null };
  const actor = record.actor === undefined ? scope.actor : record.actor;
  await emit(tx, 'audit-recorded', {
    mspId: scope.mspId,
    tenantId: scope.tenantId,
    eventId: newId(),
    occurredAt: record.occurredAt.toISOString(),
    actorKind: actor?.kind ?? 'system',
    actorId: actor?.id ?? null,
    action: record.action,
    subjectId: record.subjectId,
    details: record.details ?? {},
  });
}
