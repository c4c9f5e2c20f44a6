import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { changesPerMinute } from './plan.domain.ts';

/** How many planned changes begin in a minute, per MSP. */
@Injectable()
export class PaceRepository {
  /** Counts one planned change; false when this minute is full. */
  async pass(tx: SystemTx, mspId: Id, now: Date): Promise<boolean> {
    const minute = new Date(Math.floor(now.getTime() / 60_000) * 60_000);
    const rows = await tx.query(
      `insert into laps_pace (msp_id, tenant_id, id, minute, let_through, per_minute) values ($1, $1, $1, $2, 1, $3)
       on conflict (msp_id, id) do update set minute = excluded.minute,
         let_through = case when laps_pace.minute = excluded.minute then laps_pace.let_through + 1 else 1 end
       where laps_pace.minute <> excluded.minute or laps_pace.let_through < laps_pace.per_minute returning id`,
      [mspId, minute, changesPerMinute(0)],
    );
    return rows.length === 1;
  }

  /** The mean number of planned changes a minute of each MSP, by its accounts and their settings. */
  async means(tx: SystemTx): Promise<{ mspId: Id; mean: number }[]> {
    return tx.query(
      `select a.msp_id as "mspId", sum(60.0 / (s.effective ->> 'intervalSeconds')::int)::float8 as mean
       from laps_account a join laps_settings s on s.msp_id = a.msp_id and s.id = a.tenant_id where a.wanted group by a.msp_id`,
    );
  }

  async setLimit(tx: SystemTx, mspId: Id, perMinute: number): Promise<void> {
    await tx.query(
      `insert into laps_pace (msp_id, tenant_id, id, minute, let_through, per_minute) values ($1, $1, $1, 'epoch', 0, $2)
       on conflict (msp_id, id) do update set per_minute = excluded.per_minute where laps_pace.per_minute <> excluded.per_minute`,
      [mspId, perMinute],
    );
  }
}
