import { Injectable } from '@nestjs/common';
import { newId, type Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { columnsOf, patchOf } from '../grant/columns.ts';
import { markerOf, type EntraAccount } from './account.domain.ts';

/** Of the account `a`: it is in another Entra tenant than the one that is connected. */
const elsewhere = `(a.left_in is not null and a.left_in <> all(
  select c.entra_tenant_id from entra_connection c where c.msp_id = a.msp_id and c.tenant_id = a.tenant_id))`;
/** Of the account `a`: something of ours may be in Entra. */
export const mayHaveAccess = `((a.kind = 'JIT' and (a.object_id is not null or a.creating_since is not null)) or exists (
  select from entra_grant g where g.msp_id = a.msp_id and g.account_id = a.id and g.phase in ('BEGINNING', 'ACTIVE', 'ENDING')))`;
const columns = columnsOf<EntraAccount>({
  ...{ mspId: 'msp_id', tenantId: 'tenant_id', id: 'id', kind: 'kind', technicianId: 'technician_id', marker: 'marker' },
  ...{ objectId: 'object_id', userPrincipalName: 'user_principal_name', state: 'state', seenAt: 'seen_at', createdAt: 'created_at' },
  ...{ rolesChangedAt: 'roles_changed_at', prefix: 'prefix', nameAttempt: 'name_attempt', creatingSince: 'creating_since' },
  ...{ mayBeEnabled: 'may_be_enabled', switchedAt: 'switched_at', sessionsOpen: 'sessions_open', passwordKnown: 'password_known' },
  ...{ removeNotBefore: 'remove_not_before', purgeRefusedAt: 'purge_refused_at', restsSince: 'rests_since', restDays: 'rest_days' },
  ...{
    discard: 'discard',
    leftIn: 'left_in',
    problem: 'problem',
    dueAt: 'due_at',
    ending: 'ending',
    failures: 'failures',
    changes: 'changes',
  },
  ...{ fence: 'fence', leaseUntil: 'lease_until' },
});

/** An account that somebody works on. */
export type Claim = Pick<EntraAccount, 'mspId' | 'id' | 'fence' | 'tenantId'>;

/** Accounts in customers' Entra tenants. */
@Injectable()
export class AccountRepository {
  async find(tx: Tx, mspId: Id, id: Id): Promise<EntraAccount | null> {
    const [row] = await tx.query<EntraAccount>(`select ${columns.all} from entra_account where msp_id = $1 and id = $2`, [mspId, id]);
    return row ?? null;
  }

  /** The account of a grant: the one that is there, or a new row. Due at once. */
  async wanted(
    tx: SystemTx,
    of: Pick<EntraAccount, 'mspId' | 'tenantId' | 'technicianId' | 'kind' | 'restDays' | 'prefix'>,
    now: Date,
  ): Promise<Id> {
    const id = newId();
    const [row] = await tx.query<{ id: Id }>(
      `insert into entra_account (msp_id, tenant_id, id, kind, technician_id, marker, rest_days, prefix, due_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (msp_id, tenant_id, technician_id, kind) do update set rest_days = excluded.rest_days, prefix = excluded.prefix,
         due_at = excluded.due_at, changes = entra_account.changes + 1, failures = 0, ending = true
       returning id`,
      [
        ...[of.mspId, of.tenantId, id, of.kind, of.technicianId, of.kind === 'JIT' ? markerOf(of.tenantId, id) : null],
        ...[of.restDays, of.prefix, now],
      ],
    );
    if (row === undefined) throw new Error('The account is neither new nor there.');
    return row.id;
  }

  /** Has a technician's accounts looked at now. */
  async dueOfTechnician(tx: SystemTx, mspId: Id, technicianId: Id, now: Date): Promise<void> {
    await tx.query(
      `update entra_account set due_at = $3, ending = true, failures = 0, changes = changes + 1 where msp_id = $1 and technician_id = $2`,
      [mspId, technicianId, now],
    );
  }

  async due(tx: TenantTx | SystemTx, mspId: Id, id: Id, now: Date): Promise<void> {
    await tx.query('update entra_account set due_at = $3, changes = changes + 1 where msp_id = $1 and id = $2', [mspId, id, now]);
  }

  /**
   * Takes accounts whose time has come, at most `perTenant` of one tenant at a time, ends first. They are this caller's until
   * `leaseUntil`, or until somebody takes them with a higher fence number after that.
   */
  async claim(tx: SystemTx, now: Date, leaseUntil: Date, limit: number, perTenant: number): Promise<Claim[]> {
    return tx.query<Claim>(
      `with busy as (
         select msp_id, tenant_id, count(*) as count from entra_account where lease_until > $1 group by msp_id, tenant_id
       ), fair as (
         select a.msp_id, a.id, row_number() over (partition by a.msp_id, a.tenant_id order by a.ending desc, a.due_at, a.id) + coalesce(b.count, 0) as place
         from entra_account a left join busy b on b.msp_id = a.msp_id and b.tenant_id = a.tenant_id
         where a.due_at <= $1 and (a.lease_until is null or a.lease_until <= $1)
       ), picked as (
         select a.msp_id, a.id from entra_account a join fair f on f.msp_id = a.msp_id and f.id = a.id
         where f.place <= $4 and a.due_at <= $1 and (a.lease_until is null or a.lease_until <= $1)
         order by a.ending desc, a.due_at, a.id limit $3 for update of a skip locked
       )
       update entra_account a set fence = a.fence + 1, lease_until = $2 from picked where picked.msp_id = a.msp_id and picked.id = a.id
       returning a.msp_id as "mspId", a.tenant_id as "tenantId", a.id, a.fence`,
      [now, leaseUntil, limit, perTenant],
    );
  }

  /** The account, locked, while the claim holds; null when somebody else has taken it. */
  async held(tx: SystemTx, { mspId, id, fence }: Claim): Promise<EntraAccount | null> {
    const [row] = await tx.query<EntraAccount>(
      `select ${columns.all} from entra_account where msp_id = $1 and id = $2 and fence = $3 and lease_until is not null for update`,
      [mspId, id, fence],
    );
    return row ?? null;
  }

  async save(tx: SystemTx, { mspId, id }: Pick<EntraAccount, 'mspId' | 'id'>, patch: Partial<EntraAccount>): Promise<void> {
    const { sets, values } = patchOf(columns, patch, 3);
    await tx.query(`update entra_account set ${sets} where msp_id = $1 and id = $2`, [mspId, id, ...values]);
  }

  async remove(tx: SystemTx, { mspId, id }: Pick<EntraAccount, 'mspId' | 'id'>): Promise<void> {
    await tx.query('delete from entra_account where msp_id = $1 and id = $2', [mspId, id]);
  }

  /** Why an account must not be touched by grants; null when it may. */
  async protectedBy(tx: SystemTx, { mspId, tenantId, objectId }: EntraAccount): Promise<string | null> {
    const [row] = await tx.query<{ why: string }>(
      'select why from protected_account where msp_id = $1 and tenant_id = $2 and object_id = $3',
      [mspId, tenantId, objectId],
    );
    return row?.why ?? null;
  }

  /** Accounts made by Stint that are there, of a tenant, by id. */
  async page(tx: Tx, mspId: Id, tenantId: Id, after: Id | null, limit: number): Promise<EntraAccount[]> {
    return tx.query<EntraAccount>(
      `select ${columns.all} from entra_account where msp_id = $1 and tenant_id = $2 and kind = 'JIT' and state <> 'ABSENT'
         and ($3::uuid is null or id > $3) order by id limit $4`,
      [mspId, tenantId, after, limit],
    );
  }

  /** Everything that is known of a tenant's accounts, and whether a grant on them is not concluded. */
  async ofTenant(tx: Tx, mspId: Id, tenantId: Id): Promise<(EntraAccount & { busy: boolean })[]> {
    return tx.query<EntraAccount & { busy: boolean }>(
      `select ${columns.all}, exists (select 1 from entra_grant g where g.msp_id = entra_account.msp_id and g.account_id = entra_account.id
         and g.phase in ('BEGINNING', 'ACTIVE', 'ENDING')) as busy
       from entra_account where msp_id = $1 and tenant_id = $2`,
      [mspId, tenantId],
    );
  }

  /**
   * How many grants of each tenant are not concluded, and accounts of ours not gone, but for those that were left in another Entra tenant
   * than the connected one; a tenant without any is not in the answer.
   */
  async standing(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, number>> {
    const rows = await tx.query<{ tenant_id: Id; count: number }>(
      `select tenant_id, count(*)::int as count from (
         select tenant_id from entra_account a where msp_id = $1 and tenant_id = any($2) and kind = 'JIT'
           and (object_id is not null or creating_since is not null) and not ${elsewhere}
         union all select g.tenant_id from entra_grant g join entra_account a on a.msp_id = g.msp_id and a.id = g.account_id
           where g.msp_id = $1 and g.tenant_id = any($2) and g.phase in ('BEGINNING', 'ACTIVE', 'ENDING') and not ${elsewhere}
       ) standing group by tenant_id`,
      [mspId, tenantIds],
    );
    return new Map(rows.map((row) => [row.tenant_id, row.count]));
  }

  /**
   * Leaves what Stint still has in an Entra tenant that is not the connected one any more: it is nobody's from here on, so that the
   * technicians have others in the new one.
   */
  async leaveBehind(tx: TenantTx, mspId: Id, tenantId: Id, entraTenantId: string): Promise<void> {
    await tx.query(
      `update entra_account a set left_in = $3, technician_id = null, discard = true
       where msp_id = $1 and tenant_id = $2 and left_in is null and ${mayHaveAccess}`,
      [mspId, tenantId, entraTenantId],
    );
  }

  /** An account with our mark that no row knew: taken away as soon as possible. */
  async adopt(
    tx: SystemTx,
    stray: Pick<EntraAccount, 'mspId' | 'tenantId' | 'objectId' | 'userPrincipalName' | 'createdAt' | 'state'>,
    now: Date,
  ): Promise<Id> {
    const id = newId();
    await tx.query(
      `insert into entra_account (msp_id, tenant_id, id, kind, object_id, user_principal_name, created_at, state, may_be_enabled, sessions_open,
         password_known, discard, ending, due_at) values ($1, $2, $3, 'JIT', $4, $5, $6, $7, true, true, true, true, true, $8)`,
      [stray.mspId, stray.tenantId, id, stray.objectId, stray.userPrincipalName, stray.createdAt, stray.state, now],
    );
    return id;
  }

  /** Whether the connection of a tenant is being ended. */
  async isLeaving(tx: SystemTx, mspId: Id, tenantId: Id): Promise<boolean> {
    const sql = `select 1 from entra_connection where msp_id = $1 and tenant_id = $2 and state = 'DISCONNECTING'`;
    return (await tx.query(sql, [mspId, tenantId])).length === 1;
  }

  /** Has every account of a tenant taken away, whatever its grants say. */
  async discardAll(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id, now: Date): Promise<void> {
    await tx.query(
      `update entra_account set discard = true, due_at = $3, ending = true, failures = 0, changes = changes + 1
       where msp_id = $1 and tenant_id = $2 and (object_id is not null or creating_since is not null or due_at is not null)`,
      [mspId, tenantId, now],
    );
  }
}
