import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** An account that one technician has to themselves for a while. */
export interface CheckOut {
  mspId: Id;
  tenantId: Id;
  id: Id;
  accountId: Id;
  technicianId: Id;
  since: Date;
  until: Date;
}
const columns = 'msp_id as "mspId", tenant_id as "tenantId", id, account_id as "accountId", technician_id as "technicianId", since, until';

/** Rows of check-outs. */
@Injectable()
export class CheckOutRepository {
  /** The check-out of an account that was not ended; its time may be over. */
  async openOf(tx: Tx, mspId: Id, accountId: Id): Promise<CheckOut | null> {
    const [row] = await tx.query<CheckOut>(
      `select ${columns} from laps_check_out where msp_id = $1 and account_id = $2 and ended_at is null`,
      [mspId, accountId],
    );
    return row ?? null;
  }

  async add(tx: Tx, out: CheckOut): Promise<void> {
    await tx.query(
      'insert into laps_check_out (msp_id, tenant_id, id, account_id, technician_id, since, until) values ($1, $2, $3, $4, $5, $6, $7)',
      [out.mspId, out.tenantId, out.id, out.accountId, out.technicianId, out.since, out.until],
    );
  }

  async end(tx: Tx, mspId: Id, id: Id, at: Date): Promise<void> {
    await tx.query('update laps_check_out set ended_at = $3 where msp_id = $1 and id = $2 and ended_at is null', [mspId, id, at]);
  }

  /** Check-outs whose time is over, oldest first. */
  async over(tx: SystemTx, now: Date, limit: number): Promise<CheckOut[]> {
    return tx.query(`select ${columns} from laps_check_out where ended_at is null and until <= $1 order by until limit $2`, [now, limit]);
  }
}
