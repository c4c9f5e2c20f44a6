import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

/** One reveal of one account to one technician. */
export interface Reveal {
  mspId: Id;
  tenantId: Id;
  id: Id;
  accountId: Id;
  technicianId: Id;
  at: Date;
}

/** Who read what, for limits and alarms. Limits count across tenants, hence as the system. */
@Injectable()
export class RevealRepository {
  /** From here on other reveals by this technician wait: limits hold for calls that come at once. */
  async holdTechnician(tx: SystemTx, technicianId: Id): Promise<void> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('laps-reveal:' || $1, 0))`, [technicianId]);
  }

  async find(tx: SystemTx, mspId: Id, id: Id): Promise<Pick<Reveal, 'accountId' | 'technicianId' | 'at'> | null> {
    const [row] = await tx.query<Pick<Reveal, 'accountId' | 'technicianId' | 'at'>>(
      'select account_id as "accountId", technician_id as "technicianId", at from laps_reveal where msp_id = $1 and id = $2',
      [mspId, id],
    );
    return row ?? null;
  }

  async add(tx: SystemTx, reveal: Reveal): Promise<void> {
    await tx.query('insert into laps_reveal (msp_id, tenant_id, id, account_id, technician_id, at) values ($1, $2, $3, $4, $5, $6)', [
      ...[reveal.mspId, reveal.tenantId, reveal.id, reveal.accountId, reveal.technicianId, reveal.at],
    ]);
  }

  /** The reveals of a technician since then, newest first. */
  async since(tx: SystemTx, mspId: Id, technicianId: Id, since: Date): Promise<{ at: Date; accountId: Id }[]> {
    return tx.query(
      'select at, account_id as "accountId" from laps_reveal where msp_id = $1 and technician_id = $2 and at > $3 order by at desc',
      [mspId, technicianId, since],
    );
  }

  /** Forgets reveals from before `before`; answers how many. */
  async forget(tx: SystemTx, before: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      'delete from laps_reveal where (msp_id, id) in (select msp_id, id from laps_reveal where at < $1 limit $2) returning 1',
      [before, limit],
    );
    return rows.length;
  }
}
