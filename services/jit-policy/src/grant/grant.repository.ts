import type { Id, PageRequest } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { isOnDevice, type DeviceGrant, type Grant, type GrantChange } from './grant.domain.ts';
import { asGrant, asRow, columns, columnsOfG, names, open, type GrantRow } from './grant-row.ts';

/** Grants. */
export class GrantRepository {
  /** Adds the grant; false when its id is taken. */
  async insert(tx: Tx, grant: Grant): Promise<boolean> {
    const row = asRow(grant);
    const rows = await tx.query(
      `insert into jit_grant (${columns}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
       on conflict (msp_id, id) do nothing returning id`,
      names.map((name) => row[name]),
    );
    return rows.length === 1;
  }

  /** Saves what can change of a grant; its device, or in Entra the grant itself, must be locked. */
  async save(tx: Tx, grant: Grant): Promise<void> {
    await tx.query(
      `update jit_grant set state = $3, active_at = $4, expires_at = $5, ending_at = $6, end_revision = $7, ended_at = $8, end_reason = $9, failure = $10,
         nudge_at = $11, session_seconds = $12, ended_by = $13, privileged_changes = $14, max_seconds = $15, entra_version = $16,
         account_name = case target when 'ENTRA' then $17 else account_name end
       where msp_id = $1 and id = $2`,
      [
        grant.mspId,
        grant.id,
        grant.state,
        grant.activeAt,
        grant.expiresAt,
        grant.endingAt,
        grant.endRevision,
        grant.endedAt,
        grant.endReason,
        grant.failure,
        grant.nudgeAt,
        grant.sessionSeconds,
        grant.endedBy === null ? null : JSON.stringify(grant.endedBy),
        JSON.stringify(grant.privilegedChanges),
        grant.maxSeconds,
        grant.target.kind === 'ENTRA' ? grant.target.version : null,
        // A device's account is renamed by `renameAccount`, for all its grants.
        grant.target.accountName,
      ],
    );
  }

  /** The account's real name on the device, for the grants that are not over. */
  async renameAccount(tx: Tx, mspId: Id, accountId: Id, name: string): Promise<void> {
    await tx.query(`update jit_grant set account_name = $3 where msp_id = $1 and account_id = $2 and ${open}`, [mspId, accountId, name]);
  }

  async find(tx: Tx, mspId: Id, id: Id): Promise<Grant | null> {
    const [row] = await tx.query<GrantRow>(`select ${columns} from jit_grant where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asGrant(row);
  }

  async findByLogin(tx: Tx, mspId: Id, loginRequestId: Id): Promise<DeviceGrant | null> {
    const [row] = await tx.query<GrantRow>(`select ${columns} from jit_grant where msp_id = $1 and login_request_id = $2`, [
      mspId,
      loginRequestId,
    ]);
    return row === undefined ? null : (onDevices([row])[0] ?? null);
  }

  async findMany(tx: Tx, mspId: Id, ids: readonly Id[]): Promise<Grant[]> {
    return (await tx.query<GrantRow>(`select ${columns} from jit_grant where msp_id = $1 and id = any($2)`, [mspId, ids])).map(asGrant);
  }

  /** Grants of a device that are not over, oldest first. */
  async openOfDevice(tx: Tx, mspId: Id, deviceId: Id): Promise<DeviceGrant[]> {
    const rows = await tx.query<GrantRow>(`select ${columns} from jit_grant where msp_id = $1 and device_id = $2 and ${open} order by id`, [
      mspId,
      deviceId,
    ]);
    return onDevices(rows);
  }

  /** Is a grant of the device not over? One index look-up. */
  async hasOpen(tx: Tx, mspId: Id, deviceId: Id): Promise<boolean> {
    const rows = await tx.query(`select 1 from jit_grant where msp_id = $1 and device_id = $2 and ${open} limit 1`, [mspId, deviceId]);
    return rows.length === 1;
  }

  /** Devices on which the technician has a live grant, in the order in which they are to be locked. */
  async devicesOfLive(tx: SystemTx, mspId: Id, technicianId: Id): Promise<Id[]> {
    const rows = await tx.query<{ device_id: Id }>(
      `select distinct device_id from jit_grant
       where msp_id = $1 and technician_id = $2 and target = 'DEVICE' and state in ('APPROVED', 'ACTIVE') order by device_id`,
      [mspId, technicianId],
    );
    return rows.map((row) => row.device_id);
  }

  /**
   * Devices with a grant for which time has come (not activated, expired, an end to nudge about), locked. Devices that
   * somebody else has locked are left to the next round: a sweep never waits.
   */
  async dueDevices(tx: SystemTx, now: Date, limit: number): Promise<{ mspId: Id; id: Id }[]> {
    const rows = await tx.query<{ msp_id: Id; id: Id }>(
      `select d.msp_id, d.id from device d
       where (d.msp_id, d.id) in (
         (select msp_id, device_id from jit_grant where target = 'DEVICE' and state = 'APPROVED' and activate_by <= $1 order by activate_by limit $2)
         union all (select msp_id, device_id from jit_grant where target = 'DEVICE' and state = 'ACTIVE' and expires_at <= $1 order by expires_at limit $2)
         union all (select msp_id, device_id from jit_grant where target = 'DEVICE' and state in ('ENDING', 'END_STUCK') and nudge_at <= $1 order by nudge_at limit $2))
       limit $2 for update of d skip locked`,
      [now, limit],
    );
    return rows.map((row) => ({ mspId: row.msp_id, id: row.id }));
  }

  /** How many live grants of the technician there are. */
  async countLive(tx: SystemTx, mspId: Id, technicianId: Id): Promise<number> {
    const [row] = await tx.query<{ live: number }>(
      `select count(*)::int as live from jit_grant where msp_id = $1 and technician_id = $2 and state in ('APPROVED', 'ACTIVE')`,
      [mspId, technicianId],
    );
    return row?.live ?? 0;
  }

  /** Notes that a session was extended or shortened. */
  async addChange(tx: Tx, grant: Grant, change: GrantChange): Promise<void> {
    await tx.query(
      'insert into grant_change (msp_id, tenant_id, id, grant_id, seconds, changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7)',
      [grant.mspId, grant.tenantId, change.id, grant.id, change.seconds, change.at, change.by],
    );
  }

  /** The grant that a change with this id was for; null when there is none. */
  async changedBy(tx: Tx, mspId: Id, changeId: Id): Promise<Id | null> {
    const [row] = await tx.query<{ grant_id: Id }>('select grant_id from grant_change where msp_id = $1 and id = $2', [mspId, changeId]);
    return row?.grant_id ?? null;
  }

  /** The changes of a grant in their order. */
  async changesOf(tx: Tx, mspId: Id, grantId: Id): Promise<GrantChange[]> {
    return tx.query<GrantChange>(
      'select id, seconds, changed_at as at, changed_by as by from grant_change where msp_id = $1 and grant_id = $2 order by changed_at, id',
      [mspId, grantId],
    );
  }

  /** For each owner (a tenant, a device or a technician) the grants of one page, newest first, with one surplus row where there are more. */
  async pages(
    tx: Tx,
    mspId: Id,
    owner: 'tenant' | 'device' | 'technician',
    ownerIds: readonly Id[],
    page: PageRequest,
  ): Promise<Map<Id, Grant[]>> {
    const rows = await tx.query<GrantRow & { owner_id: Id }>(
      `select o.id as owner_id, ${columnsOfG} from unnest($2::uuid[]) as o(id)
       cross join lateral (
         select ${columns} from jit_grant where msp_id = $1 and ${owner}_id = o.id and ($3::uuid is null or id < $3) order by id desc limit $4) g
       order by o.id, g.id desc`,
      [mspId, ownerIds, page.after, page.first + 1],
    );
    const pages = new Map<Id, Grant[]>(ownerIds.map((id) => [id, []]));
    for (const row of rows) pages.get(row.owner_id)?.push(asGrant(row));
    return pages;
  }
}

function onDevices(rows: GrantRow[]): DeviceGrant[] {
  return rows.map(asGrant).filter(isOnDevice);
}
