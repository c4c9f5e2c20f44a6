import type { Id } from '@stint/kernel';
import { audit, emit, type AuditRecord } from '@stint/messaging';
import type { SystemTx, TenantTx } from '@stint/tenancy';
import { turn, whyUnusable, type EntraConnection } from './connection.domain.ts';

/** Tells services/jit-policy whether access can be given now, if that has changed. */
export async function tellUse(tx: TenantTx | SystemTx, before: EntraConnection | null, after: EntraConnection): Promise<void> {
  const problem = whyUnusable(after);
  if (before !== null && whyUnusable(before) === problem) return;
  const { mspId, tenantId, version } = after;
  await emit(tx, 'entra-connection-changed', { mspId, tenantId, usable: problem === null, problem, version });
}

/** Records what happened to a connection (or to `subjectId` of it), as the scope's actor, the system, or as `actor`. */
export async function record(
  tx: TenantTx | SystemTx,
  { mspId, tenantId }: Pick<EntraConnection, 'mspId' | 'tenantId'>,
  what: Omit<AuditRecord, 'subjectId'> & { subjectId?: Id },
): Promise<void> {
  const event: AuditRecord = { ...what, subjectId: what.subjectId ?? tenantId };
  await ('scope' in tx ? audit(tx, event) : audit(tx, { ...event, mspId, tenantId }));
}

/** Records that a connection broke, or works again. */
export async function recordTurn(tx: SystemTx, before: EntraConnection, after: EntraConnection, now: Date): Promise<void> {
  const turned = turn(before.state, after.state);
  if (turned === null) return;
  const problems = after.problems.filter(({ blocking }) => blocking).map(({ code, about }) => (about === null ? code : `${code} ${about}`));
  await record(tx, after, { action: `entra-connection.${turned}`, occurredAt: now, details: { problems: problems.join(', ') } });
}
