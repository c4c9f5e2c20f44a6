import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** "Look again at what is live in this tenant and below." */
export interface Recheck {
  mspId: Id;
  tenantId: Id;
  /** All devices up to this one have been looked at. */
  doneDeviceId: Id;
}

/** Marks to look again at what is live, and the devices on which something is. */
export class RecheckRepository {
  /** Leaves the mark; where there is one, all begins again. */
  async ask(tx: Tx, mspId: Id, tenantId: Id, now: Date): Promise<void> {
    await tx.query(
      `insert into access_recheck (msp_id, tenant_id, id, asked_at) values ($1, $2, $2, $3)
       on conflict (msp_id, id) do update set done_device_id = default, asked_at = excluded.asked_at`,
      [mspId, tenantId, now],
    );
  }

  /** A mark that nobody else is working on, locked; any of them, so that one that fails does not hold up the others. */
  async next(tx: SystemTx): Promise<Recheck | null> {
    const [row] = await tx.query<{ msp_id: Id; tenant_id: Id; done_device_id: Id }>(
      'select msp_id, tenant_id, done_device_id from access_recheck order by random() limit 1 for update skip locked',
    );
    return row === undefined ? null : { mspId: row.msp_id, tenantId: row.tenant_id, doneDeviceId: row.done_device_id };
  }

  async advance(tx: SystemTx, { mspId, tenantId }: Recheck, doneDeviceId: Id): Promise<void> {
    await tx.query('update access_recheck set done_device_id = $3 where msp_id = $1 and id = $2', [mspId, tenantId, doneDeviceId]);
  }

  async finish(tx: SystemTx, { mspId, tenantId }: Recheck): Promise<void> {
    await tx.query('delete from access_recheck where msp_id = $1 and id = $2', [mspId, tenantId]);
  }

  /** The next devices of the tenant and below with a live grant or a waiting request, in the order of their ids. */
  async devices(tx: SystemTx, { mspId, tenantId, doneDeviceId }: Recheck, limit: number): Promise<Id[]> {
    const rows = await tx.query<{ id: Id }>(
      `select d.id from device d join tenant t on t.msp_id = d.msp_id and t.id = d.tenant_id
       where d.msp_id = $1 and t.path @> array[$2::uuid] and d.id > $3
         and (exists (select 1 from jit_grant g where g.msp_id = d.msp_id and g.device_id = d.id and g.state in ('APPROVED', 'ACTIVE'))
           or exists (select 1 from access_request r where r.msp_id = d.msp_id and r.device_id = d.id and r.state = 'PENDING'))
       order by d.id limit $4`,
      [mspId, tenantId, doneDeviceId, limit],
    );
    return rows.map(({ id }) => id);
  }
}
