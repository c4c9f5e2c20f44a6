import type { AuditAction, AuditEvent, Payload } from '@stint/contracts';
import { audit, emit } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import type { EntraGrant } from './grant.domain.ts';

/** Tells services/jit-policy what became of a grant; answers the number of this report. */
export async function reportGrant(
  tx: SystemTx,
  grant: EntraGrant,
  what: { state: Payload<'entra-grant-reported'>['state']; at: Date; accountName: string | null; why: string | null },
): Promise<number> {
  const { mspId, tenantId, id: grantId } = grant;
  const version = grant.reportVersion + 1;
  const { state, at, accountName, why } = what;
  await emit(tx, 'entra-grant-reported', {
    ...{ mspId, tenantId, grantId, state, accountName, version },
    ...{ at: at.toISOString(), why: why?.slice(0, 500) ?? null },
  });
  return version;
}

/** Records what happened to a grant in Entra. */
export async function auditGrant(
  tx: SystemTx,
  grant: EntraGrant,
  action: AuditAction,
  at: Date,
  accountName: string | null,
  details: AuditEvent['details'] = {},
): Promise<void> {
  const { mspId, tenantId, id: subjectId, technicianId, roleName, scope, accountKind } = grant;
  await audit(tx, {
    ...{ mspId, tenantId, subjectId, action, occurredAt: at },
    details: { accountName, technicianId, roleName, scope, accountKind, ...details },
  });
}
