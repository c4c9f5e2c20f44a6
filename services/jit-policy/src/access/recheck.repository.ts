import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** "Look again at what is live in this tenant and below." */
export interface Recheck {
  mspId: Id;
  tenantId: Id;
  /** All up to this one have been looked at. */
  doneId: Id;
}

/** Where something is live or waits: a device, or access in Entra by the id that its grant and its request share. */
export interface LivePlace {
  id: Id;
  kind: 'DEVICE' | 'ENTRA';
}

/** Marks to look again at what is live, and where something is. */
export class RecheckRepository {
  /** Leaves the mark; where there is one, all begins again. */
  async ask(tx: Tx, mspId: Id, tenantId: Id, now: Date): Promise<void> {
    await tx.query(
      `insert into access_recheck (msp_id, tenant_id, id, asked_at) values ($1, $2, $2, $3)
       on conflict (msp_id, id) do update set done_id = default, asked_at = excluded.asked_at`,
      [mspId, tenantId, now],
    );
  }

  /** A mark that nobody else is working on, locked; any of them, so that one that fails does not hold up the others. */
  async next(tx: SystemTx): Promise<Recheck | null> {
    const [row] = await tx.query<{ msp_id: Id; tenant_id: Id; done_id: Id }>(
      'select msp_id, tenant_id, done_id from access_recheck order by random() limit 1 for update skip locked',
    );
    return row === undefined ? null : { mspId: row.msp_id, tenantId: row.tenant_id, doneId: row.done_id };
  }

  async advance(tx: SystemTx, { mspId, tenantId }: Recheck, doneId: Id): Promise<void> {
    await tx.query('update access_recheck set done_id = $3 where msp_id = $1 and id = $2', [mspId, tenantId, doneId]);
  }

  async finish(tx: SystemTx, { mspId, tenantId }: Recheck): Promise<void> {
    await tx.query('delete from access_recheck where msp_id = $1 and id = $2', [mspId, tenantId]);
  }

  /** The next places of the tenant and below where something is live or waits, in the order of their ids. */
  async places(tx: SystemTx, { mspId, tenantId, doneId }: Recheck, limit: number): Promise<LivePlace[]> {
    return tx.query<LivePlace>(
      `select * from (
         (select d.id, 'DEVICE' as kind from device d join tenant t on t.msp_id = d.msp_id and t.id = d.tenant_id
          where d.msp_id = $1 and t.path @> array[$2::uuid] and d.id > $3
            and (exists (select 1 from jit_grant g where g.msp_id = d.msp_id and g.device_id = d.id and g.state in ('APPROVED', 'ACTIVE'))
              or exists (select 1 from access_request r where r.msp_id = d.msp_id and r.device_id = d.id and r.state = 'PENDING'))
          order by d.id limit $4)
         union all (select g.id, 'ENTRA' from jit_grant g join tenant t on t.msp_id = g.msp_id and t.id = g.tenant_id
          where g.msp_id = $1 and g.target = 'ENTRA' and g.state in ('APPROVED', 'ACTIVE') and t.path @> array[$2::uuid] and g.id > $3
          order by g.id limit $4)
         union all (select r.id, 'ENTRA' from access_request r join tenant t on t.msp_id = r.msp_id and t.id = r.tenant_id
          where r.msp_id = $1 and r.target = 'ENTRA' and r.state = 'PENDING' and t.path @> array[$2::uuid] and r.id > $3
          order by r.id limit $4)) places
       order by id limit $4`,
      [mspId, tenantId, doneId, limit],
    );
  }
}
