import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import type { StrayAccount } from './report.domain.ts';

/** Stray accounts, as each device last reported them. */
export class StrayAccountRepository {
  /** Replaces what is known of the device's strays; answers those that are new. The device must be locked. */
  async replace(
    tx: Tx,
    device: DeviceCopy,
    strays: readonly { accountId: Id; name: string }[],
    at: Date,
  ): Promise<{ accountId: Id; name: string }[]> {
    const ids = strays.map(({ accountId }) => accountId);
    const names = strays.map(({ name }) => name);
    await tx.query(
      `delete from stray_account where msp_id = $1 and device_id = $2
       and (account_id, name) not in (select * from unnest($3::uuid[], $4::text[]))`,
      [device.mspId, device.id, ids, names],
    );
    const rows = await tx.query<{ account_id: Id; name: string }>(
      `insert into stray_account (msp_id, tenant_id, device_id, account_id, name, found_at)
       select $1, $2, $3, account_id, name, $6 from unnest($4::uuid[], $5::text[]) as found (account_id, name)
       on conflict do nothing returning account_id, name`,
      [device.mspId, device.tenantId, device.id, ids, names, at],
    );
    return rows.map((row) => ({ accountId: row.account_id, name: row.name }));
  }

  /** The strays of several devices, by device, oldest first. */
  async ofDevices(tx: Tx, mspId: Id, deviceIds: readonly Id[]): Promise<Map<Id, StrayAccount[]>> {
    const rows = await tx.query<{ device_id: Id; account_id: Id; name: string; found_at: Date }>(
      'select device_id, account_id, name, found_at from stray_account where msp_id = $1 and device_id = any($2) order by found_at, name',
      [mspId, deviceIds],
    );
    const strays = new Map<Id, StrayAccount[]>(deviceIds.map((id) => [id, []]));
    for (const row of rows) strays.get(row.device_id)?.push({ accountId: row.account_id, name: row.name, foundAt: row.found_at });
    return strays;
  }
}
