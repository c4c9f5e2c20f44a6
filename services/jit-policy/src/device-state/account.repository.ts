import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { settingDefinitions } from '../settings/settings.domain.ts';
import type { Account } from './desired-state.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  device_id: Id;
  technician_id: Id | null;
  name: string;
  display_name: string;
  password_length: number;
  last_used_at: Date;
  absent_since: Date | null;
  removed_at: Date | null;
  prepared: boolean;
}

const columns =
  'msp_id, tenant_id, id, device_id, technician_id, name, display_name, password_length, last_used_at, absent_since, removed_at, prepared';

// $1 is now, $2 the default of accountRestDays. No tenant can set less than a day: the first comparison can use the index.
const resting = `a.absent_since is null and not a.prepared and a.removed_at is null and a.last_used_at <= $1::timestamptz - interval '1 day'
  and a.last_used_at <= $1::timestamptz - make_interval(days => coalesce((
    select (s.own ->> 'accountRestDays')::int from tenant t join jit_settings s on s.msp_id = t.msp_id and s.id = any(t.path) and s.own ? 'accountRestDays'
    where t.msp_id = a.msp_id and t.id = a.tenant_id order by array_position(t.path, s.id) desc limit 1), $2::int))
  and not exists (select 1 from jit_grant g where g.msp_id = a.msp_id and g.account_id = a.id and g.state in ('APPROVED', 'ACTIVE', 'ENDING', 'END_STUCK'))`;

/** JIT accounts on devices. */
export class AccountRepository {
  async insert(tx: Tx, ...accounts: readonly Account[]): Promise<void> {
    await tx.query(`insert into jit_account (${columns}) select ${columns} from jsonb_populate_recordset(null::jit_account, $1)`, [
      JSON.stringify(accounts.map(asRow)),
    ]);
  }

  /** The account is used again, as the approval wants it; its device must be locked. */
  async reuse(tx: Tx, account: Account): Promise<void> {
    await tx.query(
      'update jit_account set display_name = $3, password_length = $4, last_used_at = $5, absent_since = null, removed_at = null, prepared = false where msp_id = $1 and id = $2',
      [account.mspId, account.id, account.displayName, account.passwordLength, account.lastUsedAt],
    );
  }

  /** The account's real name, as the device reports it. */
  async rename(tx: Tx, account: Account): Promise<void> {
    await tx.query('update jit_account set name = $3 where msp_id = $1 and id = $2', [account.mspId, account.id, account.name]);
  }

  /** The account has rested: the device must delete it. */
  async retire(tx: Tx, mspId: Id, id: Id, at: Date): Promise<void> {
    await tx.query('update jit_account set absent_since = $3 where msp_id = $1 and id = $2', [mspId, id, at]);
  }

  /** The account was seen gone. */
  async remove(tx: Tx, account: Account): Promise<void> {
    await tx.query('update jit_account set removed_at = $3 where msp_id = $1 and id = $2', [account.mspId, account.id, account.removedAt]);
  }

  /** Accounts that were chosen ahead and never used are nobody's any more. Their rows stay for a while: a computer may have used one just now. */
  async unprepare(tx: Tx, mspId: Id, ids: readonly Id[], at: Date): Promise<void> {
    await tx.query('update jit_account set removed_at = $3 where msp_id = $1 and id = any($2) and prepared and removed_at is null', [
      mspId,
      ids,
      at,
    ]);
  }

  /** The reverse, for those owners (not the shared one) who have no other account there; the device must be locked. */
  async prepareAgain(tx: Tx, mspId: Id, deviceId: Id, owners: readonly Id[]): Promise<void> {
    await tx.query(
      `update jit_account set removed_at = null where msp_id = $1 and id in (
         select distinct on (a.technician_id) a.id from jit_account a
         where a.msp_id = $1 and a.device_id = $2 and a.technician_id = any($3) and a.prepared and a.removed_at is not null and a.absent_since is null
           and not exists (select 1 from jit_account b where b.msp_id = $1 and b.device_id = $2 and b.removed_at is null
             and (b.technician_id = a.technician_id or b.name = a.name))
         order by a.technician_id, a.id desc)`,
      [mspId, deviceId, owners],
    );
  }

  /** An account that was seen gone is there again: the device must delete it once more. */
  async reappeared(tx: Tx, account: Account, at: Date): Promise<void> {
    await tx.query('update jit_account set removed_at = null, absent_since = $3 where msp_id = $1 and id = $2', [
      account.mspId,
      account.id,
      at,
    ]);
  }

  /** A grant on the account ended: its rest begins. */
  async used(tx: Tx, mspId: Id, id: Id, at: Date): Promise<void> {
    await tx.query('update jit_account set last_used_at = greatest(last_used_at, $3) where msp_id = $1 and id = $2', [mspId, id, at]);
  }

  /** The device's accounts that are not gone. */
  async ofDevice(tx: Tx, mspId: Id, deviceId: Id): Promise<Account[]> {
    return (
      await tx.query<Row>(`select ${columns} from jit_account where msp_id = $1 and device_id = $2 and removed_at is null order by id`, [
        mspId,
        deviceId,
      ])
    ).map(asAccount);
  }

  /** Those of `ids` that are the device's, accounts that are gone included. */
  async findMany(tx: Tx, mspId: Id, deviceId: Id, ids: readonly Id[]): Promise<Account[]> {
    return (
      await tx.query<Row>(`select ${columns} from jit_account where msp_id = $1 and device_id = $2 and id = any($3)`, [
        mspId,
        deviceId,
        ids,
      ])
    ).map(asAccount);
  }

  /**
   * Accounts that have rested for their tenant's retention time (the nearest tenant that sets it counts) and have no
   * open grant. A first look without locks: `isResting` decides, under the device's lock.
   */
  async rested(tx: SystemTx, now: Date, limit: number): Promise<{ mspId: Id; deviceId: Id; id: Id }[]> {
    const rows = await tx.query<{ msp_id: Id; device_id: Id; id: Id }>(
      `select a.msp_id, a.device_id, a.id from jit_account a where ${resting} order by a.last_used_at limit $3`,
      [now, settingDefinitions.accountRestDays.default, limit],
    );
    return rows.map((row) => ({ mspId: row.msp_id, deviceId: row.device_id, id: row.id }));
  }

  async isResting(tx: SystemTx, now: Date, mspId: Id, id: Id): Promise<boolean> {
    const rows = await tx.query(`select 1 from jit_account a where a.msp_id = $3 and a.id = $4 and ${resting}`, [
      now,
      settingDefinitions.accountRestDays.default,
      mspId,
      id,
    ]);
    return rows.length === 1;
  }

  /** Forgets accounts that were seen gone before `before`. */
  async forget(tx: SystemTx, before: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from jit_account where (msp_id, id) in (select msp_id, id from jit_account where removed_at <= $1 order by removed_at limit $2 for update skip locked) returning id`,
      [before, limit],
    );
    return rows.length;
  }

  /** A technician's name changed: it stands in the descriptions of the accounts from their next change on. */
  async renameTechnician(tx: SystemTx, mspId: Id, technicianId: Id, displayName: string): Promise<void> {
    await tx.query('update jit_account set display_name = $3 where msp_id = $1 and technician_id = $2 and display_name <> $3', [
      mspId,
      technicianId,
      displayName,
    ]);
  }
}

function asAccount(row: Row): Account {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    deviceId: row.device_id,
    technicianId: row.technician_id,
    name: row.name,
    displayName: row.display_name,
    passwordLength: row.password_length,
    lastUsedAt: row.last_used_at,
    absentSince: row.absent_since,
    removedAt: row.removed_at,
    prepared: row.prepared,
  };
}

function asRow(account: Account): Row {
  return {
    msp_id: account.mspId,
    tenant_id: account.tenantId,
    id: account.id,
    device_id: account.deviceId,
    technician_id: account.technicianId,
    name: account.name,
    display_name: account.displayName,
    password_length: account.passwordLength,
    last_used_at: account.lastUsedAt,
    absent_since: account.absentSince,
    removed_at: account.removedAt,
    prepared: account.prepared,
  };
}
