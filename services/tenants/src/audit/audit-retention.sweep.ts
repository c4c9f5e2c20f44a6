import { audit, type Handlers, type MessagingLog, type Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { anchorMac, ChainCheck, noAnchor, outlived } from './audit.domain.ts';
import { AuditRepository } from './audit.repository.ts';
import { AuditRetentionRepository } from './audit-retention.repository.ts';

const batch = 2_000;
const dayMs = 86_400_000;

/** Takes in how long events are kept. */
export function auditRetentionHandlers(): Pick<Handlers, 'audit-retention-changed'> {
  const retentions = new AuditRetentionRepository();
  return { 'audit-retention-changed': (tx, retention) => retentions.save(tx, retention) };
}

/**
 * Removes events that are older than their tenant's retention, from the beginning of the chain on and once a day, and
 * moves the chain's anchor behind them in the same transaction. What is removed is verified first: a chain that was
 * tampered with is left as it is, so that retention hides nothing.
 */
export class AuditRetentionSweep implements Sweep {
  readonly name = 'audit-retention';
  readonly everyMs = 60_000;
  readonly #log = new AuditRepository();
  readonly #retentions = new AuditRetentionRepository();
  readonly #key: Buffer;
  readonly #journal: MessagingLog;

  constructor(key: Buffer, journal: MessagingLog) {
    this.#key = key;
    this.#journal = journal;
  }

  async run(tx: SystemTx, now: Date): Promise<number> {
    const due = await this.#retentions.claim(tx, now);
    if (due === null) return 0;
    const { mspId, tenantId, days } = due;
    // A clock that runs ahead must not empty the log: this process and the database have to agree.
    const before = new Date(Math.min(now.getTime(), due.databaseNow.getTime()) - days * dayMs);
    const lookAgainAt = new Date(now.getTime() + dayMs);
    if (outlived((await this.#log.following(tx, mspId, tenantId, null, 1)).following, before).length === 0) {
      await this.#retentions.lookAgain(tx, due, lookAgainAt);
      return 1;
    }
    const head = await this.#log.headLocked(tx, mspId, tenantId);
    const old = outlived((await this.#log.following(tx, mspId, tenantId, null, batch)).following, before);
    const check = new ChainCheck(this.#key, tenantId, head?.anchor ?? noAnchor);
    for (const event of old) check.next(event);
    const [first, last] = [old[0], old.at(-1)];
    if (check.broken) {
      this.#journal.error(
        { tenantId },
        'an audit log is broken: nothing of it is removed. Verify it (verifyAuditLog) and find out who changed it',
      );
    } else if (first !== undefined && last !== undefined) {
      const mac = anchorMac(this.#key, tenantId, last.sequence, last.hash);
      const removed = await this.#log.trim(tx, mspId, tenantId, { sequence: last.sequence, hash: last.hash, mac });
      if (removed !== old.length) throw new Error(`${removed} audit events would be removed instead of ${old.length}.`);
      const details = {
        events: removed,
        firstSequence: first.sequence,
        lastSequence: last.sequence,
        lastHash: last.hash.toString('hex'),
        days,
      };
      await audit(tx, { mspId, tenantId, action: 'audit.trimmed', subjectId: tenantId, occurredAt: now, details });
    }
    // A full batch has more behind it.
    if (check.broken || old.length < batch) await this.#retentions.lookAgain(tx, due, lookAgainAt);
    return 1;
  }
}
