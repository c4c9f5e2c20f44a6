import type { Payload } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

/** A tenant whose log is to be looked at. */
export interface DueLog {
  mspId: Id;
  tenantId: Id;
  days: number;
  /** The database's clock, which must agree that something is old. */
  databaseNow: Date;
}

/** How long each tenant's events are kept. */
export class AuditRetentionRepository {
  /** Applies the message if it is newer; the log is then looked at at once. */
  async save(tx: SystemTx, retention: Payload<'audit-retention-changed'>): Promise<void> {
    await tx.query(
      `insert into audit_retention (msp_id, tenant_id, id, days, version, trim_at) values ($1, $2, $2, $3, $4, date_trunc('milliseconds', now()))
       on conflict (msp_id, id) do update set days = excluded.days, version = excluded.version, trim_at = excluded.trim_at
       where audit_retention.version < excluded.version`,
      [retention.mspId, retention.tenantId, retention.days, retention.version],
    );
  }

  /** One tenant whose time has come, locked; others are left to other replicas. */
  async claim(tx: SystemTx, now: Date): Promise<DueLog | null> {
    const [row] = await tx.query<DueLog>(
      `select msp_id as "mspId", tenant_id as "tenantId", days, now() as "databaseNow" from audit_retention
       where trim_at <= $1 order by trim_at limit 1 for update skip locked`,
      [now],
    );
    return row ?? null;
  }

  async lookAgain(tx: SystemTx, { mspId, tenantId }: DueLog, at: Date): Promise<void> {
    await tx.query('update audit_retention set trim_at = $3 where msp_id = $1 and id = $2', [mspId, tenantId, at]);
  }
}
