import { Injectable } from '@nestjs/common';
import { lapsSettings } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { accountsWanted, type Finding, type LapsAccount } from './account.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  device_id: Id;
  kind: LapsAccount['kind'];
  name: string;
  wanted: boolean;
  fence: number;
  due_at: Date | null;
  rotate_at: Date | null;
  problem: string | null;
  finding: Finding | null;
  take_over: string | null;
  confirmed_at: Date | null;
  revealed_at: Date | null;
  alarmed_at: Date | null;
}
const columns =
  'msp_id, tenant_id, id, device_id, kind, name, wanted, fence, due_at, rotate_at, problem, finding, take_over, confirmed_at, revealed_at, alarmed_at';

/** Rows of break-glass accounts. */
@Injectable()
export class AccountRepository {
  async find(tx: Tx, mspId: Id, id: Id): Promise<LapsAccount | null> {
    const [row] = await tx.query<Row>(`select ${columns} from laps_account where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asAccount(row);
  }

  /** The account, locked until the transaction ends. Lock its device first where both change. */
  async locked(tx: Tx, mspId: Id, id: Id): Promise<LapsAccount | null> {
    const [row] = await tx.query<Row>(`select ${columns} from laps_account where msp_id = $1 and id = $2 for update`, [mspId, id]);
    return row === undefined ? null : asAccount(row);
  }

  async ofDevices(tx: Tx, mspId: Id, deviceIds: readonly Id[]): Promise<LapsAccount[]> {
    const rows = await tx.query<Row>(`select ${columns} from laps_account where msp_id = $1 and device_id = any($2) order by id`, [
      mspId,
      deviceIds,
    ]);
    return rows.map(asAccount);
  }

  /** Makes the rows of one device, or of a tenant's devices, what the settings want; each device concerned gets a new revision. */
  async settle(tx: SystemTx, { mspId, tenantId }: { mspId: Id; tenantId: Id }, deviceId: Id | null): Promise<void> {
    // A device and the settings may come at once, and neither transaction sees what the other has not committed.
    await tx.query(`select pg_advisory_xact_lock(hashtextextended('laps-settle:' || $1, 0))`, [tenantId]);
    const devices = await tx.query<{ id: Id; kind: DeviceCopy['kind']; active: boolean; effective: unknown }>(
      `select d.id, d.kind, d.active, s.effective from device d
       join laps_settings s on s.msp_id = d.msp_id and s.id = d.tenant_id
       where d.msp_id = $1 and d.tenant_id = $2 and ($3::uuid is null or d.id = $3) order by d.id for update of d`,
      [mspId, tenantId, deviceId],
    );
    const settings = devices[0] === undefined ? undefined : lapsSettings.parse(devices[0].effective);
    const wanted =
      settings === undefined
        ? []
        : devices.flatMap((device) => accountsWanted(device, settings).map((one) => ({ deviceId: device.id, ...one })));
    const ids = devices.map((device) => device.id);
    await tx.query(
      `update laps_account a set wanted = false where a.msp_id = $1 and a.device_id = any($2) and a.wanted and not exists (
         select 1 from unnest($3::uuid[], $4::text[], $5::text[]) as w(device_id, kind, name)
         where w.device_id = a.device_id and w.kind = a.kind and lower(w.name) = lower(a.name))`,
      [mspId, ids, wanted.map((one) => one.deviceId), wanted.map((one) => one.kind), wanted.map((one) => one.name)],
    );
    await tx.query(
      `insert into laps_account (msp_id, tenant_id, id, device_id, kind, name, wanted, created_at)
       select $1, $2, w.id, w.device_id, w.kind, w.name, true, now()
       from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as w(id, device_id, kind, name)
       on conflict (msp_id, device_id, kind, lower(name)) do update set wanted = true, name = excluded.name where not laps_account.wanted`,
      [
        ...[mspId, tenantId, wanted.map(() => newId()), wanted.map((one) => one.deviceId)],
        ...[wanted.map((one) => one.kind), wanted.map((one) => one.name)],
      ],
    );
    await tx.query('update device set revision = revision + 1 where msp_id = $1 and id = any($2)', [mspId, ids]);
  }
}

function asAccount(row: Row): LapsAccount {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, deviceId: row.device_id, kind: row.kind, name: row.name },
    ...{ wanted: row.wanted, fence: row.fence, dueAt: row.due_at, rotateAt: row.rotate_at, problem: row.problem },
    ...{ finding: row.finding, takeOver: row.take_over, confirmedAt: row.confirmed_at, revealedAt: row.revealed_at },
    ...{ alarmedAt: row.alarmed_at },
  };
}
