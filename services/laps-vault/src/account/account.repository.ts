import { Injectable } from '@nestjs/common';
import { lapsSettings } from '@stint/contracts';
import { newId, type Id, type PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { accountsWanted, type Finding, type LapsAccount } from './account.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  device_id: Id | null;
  kind: LapsAccount['kind'];
  name: string;
  wanted: boolean;
  fence: number;
  due_at: Date | null;
  rotate_at: Date | null;
  problem: string | null;
  problem_since: Date | null;
  finding: Finding | null;
  take_over: string | null;
  incident: string | null;
  confirmed_at: Date | null;
  revealed_at: Date | null;
  alarmed_at: Date | null;
  created_at: Date;
}
const columns =
  'msp_id, tenant_id, id, device_id, kind, name, wanted, fence, due_at, rotate_at, problem, problem_since, finding, take_over, incident, confirmed_at, revealed_at, alarmed_at, created_at';

/** What stands beside an account in other tables. */
export interface Standing {
  versions: number;
  /** One of several passwords is the right one. */
  unsure: boolean;
  currentVersionId: Id | null;
  checkOut: { technicianId: Id; until: Date } | null;
}

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

  /** One page of a tenant's accounts, with one surplus row where there are more. */
  async page(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest, needsAttention: boolean): Promise<LapsAccount[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from laps_account a where msp_id = $1 and tenant_id = $2 and ($3::uuid is null or id > $3)
       and (not $5 or wanted and (problem is not null or alarmed_at is not null or (finding is not null and take_over is distinct from finding ->> 'digest'))) order by id limit $4`,
      [mspId, tenantId, page.after, page.first + 1, needsAttention],
    );
    return rows.map(asAccount);
  }

  /** What stands beside each account: how many passwords, whether it is sure which, and who has it checked out. */
  async standing(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Map<Id, Standing>> {
    const rows = await tx.query<{
      id: Id;
      versions: number;
      unsure: boolean;
      current: Id | null;
      technician_id: Id | null;
      until: Date | null;
    }>(
      `select a.id, count(v.id)::int as versions, coalesce(bool_or(v.state in ('PENDING', 'CANDIDATE')), false) as unsure,
         (array_agg(v.id) filter (where v.state = 'CURRENT'))[1] as current, c.technician_id, c.until
       from laps_account a
       left join laps_version v on v.msp_id = a.msp_id and v.account_id = a.id
       left join laps_check_out c on c.msp_id = a.msp_id and c.account_id = a.id and c.ended_at is null
       where a.msp_id = $1 and a.id = any($2) group by a.id, c.technician_id, c.until`,
      [mspId, ids],
    );
    return new Map(
      rows.map((row) => [
        row.id,
        {
          ...{ versions: row.versions, unsure: row.unsure, currentVersionId: row.current },
          checkOut: row.technician_id === null || row.until === null ? null : { technicianId: row.technician_id, until: row.until },
        },
      ]),
    );
  }

  /** Whether anything is to be done now on the device: asked for, planned, or without a first password. */
  async anythingDue(tx: Tx, mspId: Id, deviceId: Id, now: Date): Promise<boolean> {
    const [row] = await tx.query<{ due: boolean }>(
      `select exists (select 1 from laps_account where msp_id = $1 and device_id = $2 and wanted
         and (confirmed_at is null or due_at <= $3 or rotate_at <= $3)) as due`,
      [mspId, deviceId, now],
    );
    return row?.due === true;
  }

  /** Accounts of which nobody was told yet that they are overdue, or had a problem already before `problemBefore`; locked. */
  async alarming(
    tx: SystemTx,
    problemBefore: Date,
    now: Date,
    limit: number,
  ): Promise<{ account: LapsAccount; hostName: string | null }[]> {
    const rows = await tx.query<Row & { host_name: string | null }>(
      `select ${columns
        .split(', ')
        .map((name) => `a.${name}`)
        .join(', ')}, d.host_name
       from laps_account a left join device d on d.msp_id = a.msp_id and d.id = a.device_id
       join laps_settings s on s.msp_id = a.msp_id and s.id = a.tenant_id,
       lateral (select (s.effective ->> 'intervalSeconds')::int as seconds) i
       where a.wanted and a.alarmed_at is null and (d.id is null or d.active) and (
         a.problem_since < $1
         or a.due_at + greatest(3600, i.seconds / 4) * interval '1 second' <= $2
         or a.confirmed_at is null and a.created_at + i.seconds * interval '1 second' <= $2)
       limit $3 for update of a skip locked`,
      [problemBefore, now, limit],
    );
    return rows.map((row) => ({ account: asAccount(row), hostName: row.host_name }));
  }

  /** Writes what commands change. */
  async save(tx: Tx, account: LapsAccount): Promise<void> {
    await tx.query(
      `update laps_account set fence = $3, due_at = $4, rotate_at = $5, problem = $6, problem_since = $7, finding = $8, take_over = $9,
         confirmed_at = $10, revealed_at = $11, alarmed_at = $12, incident = $13 where msp_id = $1 and id = $2`,
      [
        ...[account.mspId, account.id, account.fence, account.dueAt, account.rotateAt, account.problem, account.problemSince],
        ...[account.finding === null ? null : JSON.stringify(account.finding), account.takeOver, account.confirmedAt],
        ...[account.revealedAt, account.alarmedAt, account.incident],
      ],
    );
  }

  /** Makes the rows of one device, or of a tenant's devices, what the settings want; each device concerned gets a new revision. */
  async settle(tx: SystemTx, { mspId, tenantId }: { mspId: Id; tenantId: Id }, deviceId: Id | null, now: Date): Promise<void> {
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
       select $1, $2, w.id, w.device_id, w.kind, w.name, true, $7
       from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as w(id, device_id, kind, name)
       on conflict (msp_id, device_id, kind, lower(name)) do update set wanted = true, name = excluded.name where not laps_account.wanted`,
      [
        ...[mspId, tenantId, wanted.map(() => newId()), wanted.map((one) => one.deviceId)],
        ...[wanted.map((one) => one.kind), wanted.map((one) => one.name), now],
      ],
    );
    await tx.query('update device set revision = revision + 1 where msp_id = $1 and id = any($2)', [mspId, ids]);
  }
}

function asAccount(row: Row): LapsAccount {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, deviceId: row.device_id, kind: row.kind, name: row.name },
    ...{
      wanted: row.wanted,
      fence: row.fence,
      dueAt: row.due_at,
      rotateAt: row.rotate_at,
      problem: row.problem,
      problemSince: row.problem_since,
    },
    ...{
      finding: row.finding,
      takeOver: row.take_over,
      incident: row.incident,
      confirmedAt: row.confirmed_at,
      revealedAt: row.revealed_at,
    },
    ...{ alarmedAt: row.alarmed_at, createdAt: row.created_at },
  };
}
