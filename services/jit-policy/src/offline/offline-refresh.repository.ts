import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';

/** "Tell the devices of this tenant and below that who may log in offline may have changed." */
export interface OfflineRefresh {
  mspId: Id;
  tenantId: Id;
  /** All devices up to this one have been told. */
  doneDeviceId: Id;
}

/** Marks to tell devices, and the revision of each device's list of offline logins. */
export class OfflineRefreshRepository {
  /** Leaves marks. One that is being worked off goes on to its end first: changes that follow each other keep no device waiting for ever. */
  async ask(tx: Tx, mspId: Id, tenantIds: Iterable<Id>): Promise<void> {
    // In one order everywhere, and before any device is locked.
    await tx.query(
      `insert into offline_refresh (msp_id, tenant_id, id) select $1, id, id from unnest($2::uuid[]) as id order by id
       on conflict (msp_id, id) do update set again = true`,
      [mspId, [...new Set(tenantIds)]],
    );
  }

  /** A mark that nobody else is working on, locked; any of them, so that one that fails does not hold up the others. */
  async next(tx: SystemTx): Promise<OfflineRefresh | null> {
    const [row] = await tx.query<{ msp_id: Id; tenant_id: Id; done_device_id: Id }>(
      'select msp_id, tenant_id, done_device_id from offline_refresh order by random() limit 1 for update skip locked',
    );
    return row === undefined ? null : { mspId: row.msp_id, tenantId: row.tenant_id, doneDeviceId: row.done_device_id };
  }

  /** Gives the next devices a new revision of their list; answers them in the order of their ids. */
  async advance(tx: SystemTx, { mspId, tenantId, doneDeviceId }: OfflineRefresh, limit: number): Promise<Id[]> {
    const rows = await tx.query<{ id: Id }>(
      `with batch as (
         select d.id from device d join tenant t on t.msp_id = d.msp_id and t.id = d.tenant_id
         where d.msp_id = $1 and t.path @> array[$2::uuid] and d.id > $3 and d.active order by d.id limit $4 for update of d)
       update device d set offline_revision = d.offline_revision + 1 from batch where d.msp_id = $1 and d.id = batch.id returning d.id`,
      [mspId, tenantId, doneDeviceId, limit],
    );
    const ids = rows.map(({ id }) => id).sort();
    const last = ids.at(-1);
    if (last !== undefined)
      await tx.query('update offline_refresh set done_device_id = $3 where msp_id = $1 and id = $2', [mspId, tenantId, last]);
    return ids;
  }

  /** The mark is worked off: it goes, or begins again where it was asked for anew. */
  async finish(tx: SystemTx, { mspId, tenantId }: OfflineRefresh): Promise<void> {
    await tx.query('delete from offline_refresh where msp_id = $1 and id = $2 and not again', [mspId, tenantId]);
    await tx.query('update offline_refresh set again = false, done_device_id = default where msp_id = $1 and id = $2', [mspId, tenantId]);
  }

  /** The device's list may have changed. */
  async changed(tx: Tx, mspId: Id, deviceId: Id): Promise<void> {
    await tx.query('update device set offline_revision = offline_revision + 1 where msp_id = $1 and id = $2', [mspId, deviceId]);
  }
}
