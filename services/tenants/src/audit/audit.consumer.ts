import type { AuditEvent } from '@stint/contracts';
import type { Handlers } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { chainHash, hashedInstant, headMac } from './audit.domain.ts';
import { AuditRepository } from './audit.repository.ts';

/** Appends every audit event to its tenant's chain, once by its id: also when two messages tell of the same event. */
export function auditHandlers(key: Buffer): Pick<Handlers, 'audit-recorded'> {
  const log = new AuditRepository();
  return {
    'audit-recorded': async (tx: SystemTx, recorded: AuditEvent) => {
      const event = { ...recorded, occurredAt: hashedInstant(recorded.occurredAt) };
      const head = await log.lockHead(tx, event.mspId, event.tenantId);
      if (await log.has(tx, event)) return;
      const sequence = head.sequence + 1;
      const hash = chainHash(key, head.hash, sequence, event);
      await log.append(tx, { ...event, sequence, hash }, headMac(key, event.tenantId, sequence, hash));
    },
  };
}
