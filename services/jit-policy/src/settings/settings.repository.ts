import { newId, type Id, type PageRequest } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import type { Surroundings } from './setting-conflicts.domain.ts';
import { effectiveSettings, readOwnSettings, type EffectiveSettings, type OwnSettings, type SettingChange } from './settings.domain.ts';

/** A change as it is kept for ever. */
export interface KeptChange {
  id: Id;
  at: Date;
  actorKind: 'technician' | 'client';
  actorId: Id;
  /** The technician is one whom the reader reaches. */
  reached: boolean;
  setting: string;
  old: unknown;
  new: unknown;
}

/** What is set on which tenant, and what it was before. */
export class SettingsRepository {
  /** The effective settings of those of `tenantIds` that are visible in the scope; ancestors' values count though their rows' tenants are not. */
  async effective(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, EffectiveSettings>> {
    const rows = await tx.query<{ id: Id; path: Id[]; own: Record<Id, unknown> }>(
      `select t.id, t.path, coalesce(jsonb_object_agg(s.tenant_id, s.own) filter (where s.tenant_id is not null), '{}') as own
       from tenant t left join jit_settings s on s.msp_id = t.msp_id and s.id = any(t.path)
       where t.msp_id = $1 and t.id = any($2) group by t.msp_id, t.id`,
      [mspId, tenantIds],
    );
    return new Map(
      rows.map((row) => {
        const ownOf = new Map(Object.entries(row.own).map(([id, stored]) => [id, readOwnSettings(stored)]));
        return [row.id, effectiveSettings(row.path, ownOf)];
      }),
    );
  }

  /** The tenant's effective settings; the tenant must be visible. */
  async effectiveOf(tx: Tx, mspId: Id, tenantId: Id): Promise<EffectiveSettings> {
    const effective = (await this.effective(tx, mspId, [tenantId])).get(tenantId);
    if (effective === undefined) throw new Error(`No copy of tenant ${tenantId}.`);
    return effective;
  }

  /** The tenant's own values, locked until the transaction ends. */
  async ownLocked(tx: Tx, mspId: Id, tenantId: Id): Promise<OwnSettings> {
    await tx.query('insert into jit_settings (msp_id, tenant_id, id) values ($1, $2, $2) on conflict do nothing', [mspId, tenantId]);
    const [row] = await tx.query<{ own: unknown }>('select own from jit_settings where msp_id = $1 and id = $2 for update', [
      mspId,
      tenantId,
    ]);
    return readOwnSettings(row?.own);
  }

  async save(tx: Tx, mspId: Id, tenantId: Id, own: OwnSettings): Promise<void> {
    await tx.query('update jit_settings set own = $3 where msp_id = $1 and id = $2', [mspId, tenantId, JSON.stringify(own)]);
  }

  /** Writes what changed, for the history. */
  async keepChanges(tx: TenantTx, at: Date, changes: readonly SettingChange[]): Promise<void> {
    const { mspId, tenantId, actor } = tx.scope;
    for (const change of changes) {
      await tx.query(
        `insert into setting_change (msp_id, tenant_id, id, at, actor_kind, actor_id, setting, old, new) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [...[mspId, tenantId, newId(), at, actor.kind, actor.id, change.name], asJson(change.old), asJson(change.new)],
      );
    }
  }

  /** A tenant's changes, newest first; one row more than asked for. */
  async history(tx: Tx, mspId: Id, tenantId: Id, page: PageRequest): Promise<KeptChange[]> {
    return tx.query<KeptChange>(
      `select id, at, actor_kind as "actorKind", actor_id as "actorId", setting, old, new,
         exists (select 1 from technician t where t.msp_id = setting_change.msp_id and t.id = actor_id) as reached
       from setting_change where msp_id = $1 and tenant_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
      [mspId, tenantId, page.after, page.first + 1],
    );
  }

  /** Those of `groupIds` that are technician groups of the tenant or of one above it; to be asked in the tenant's scope. */
  async knownGroups(tx: TenantTx, groupIds: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>(
      `select g.id from technician_group g join tenant t on t.msp_id = g.msp_id and g.tenant_id = any(t.path)
       where t.msp_id = $1 and t.id = $2 and g.id = any($3)`,
      [tx.scope.mspId, tx.scope.tenantId, groupIds],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** The effective audit retention of up to `limit` tenants for which it is another than the one told last; it is noted as told. */
  async tellRetention(
    tx: SystemTx,
    byDefault: number,
    limit: number,
  ): Promise<{ mspId: Id; tenantId: Id; days: number; version: number }[]> {
    return tx.query(
      `insert into audit_retention_told as told (msp_id, tenant_id, id, days, version, told_all)
       select e.msp_id, e.id, e.id, e.days, 1, 1
       from (
         select t.msp_id, t.id, coalesce((
           select (s.own ->> 'auditRetentionDays')::int from jit_settings s
           where s.msp_id = t.msp_id and s.id = any(t.path) and s.own ? 'auditRetentionDays'
           order by array_position(t.path, s.id) desc limit 1), $1::int) as days
         from tenant t
       ) e
       left join audit_retention_told known on known.msp_id = e.msp_id and known.id = e.id
       where known.days is distinct from e.days or known.told_all < known.version limit $2
       on conflict (msp_id, id) do update set days = excluded.days, version = told.version + 1, told_all = told.version + 1
         where told.days <> excluded.days or told.told_all < told.version
       returning msp_id as "mspId", tenant_id as "tenantId", days, version`,
      [byDefault, limit],
    );
  }

  /** The tenants whose LAPS settings differ from what services/laps-vault was told last; from here on they count as told. */
  async tellLaps(tx: SystemTx, limit: number): Promise<{ mspId: Id; tenantId: Id; merged: unknown; version: number }[]> {
    return tx.query(
      `insert into laps_settings_told as told (msp_id, tenant_id, id, merged, version)
       select e.msp_id, e.id, e.id, e.merged, 1
       from (
         -- Of several values under one name the last stays: the one that is set nearest to the tenant.
         select t.msp_id, t.id, coalesce((
           select jsonb_object_agg(one.key, one.value order by array_position(t.path, s.id))
           from jit_settings s, jsonb_each(s.own) one
           where s.msp_id = t.msp_id and s.id = any(t.path) and one.key like 'laps%'), '{}') as merged
         from tenant t
       ) e
       left join laps_settings_told known on known.msp_id = e.msp_id and known.id = e.id
       where known.merged is distinct from e.merged limit $1
       on conflict (msp_id, id) do update set merged = excluded.merged, version = told.version + 1 where told.merged <> excluded.merged
       returning msp_id as "mspId", tenant_id as "tenantId", merged, version`,
      [limit],
    );
  }

  /** Those of these tenants and technician groups that are in the reader's reach: more than that is not told of them than their ids. */
  async reached(tx: Tx, mspId: Id, tenantIds: readonly Id[], groupIds: readonly Id[]): Promise<Set<Id>> {
    const rows = await tx.query<{ id: Id }>(
      `select t.id from tenant t where t.msp_id = $1 and t.id = any($2)
       union all
       select g.id from technician_group g join tenant t on t.msp_id = g.msp_id and t.id = g.tenant_id where g.msp_id = $1 and g.id = any($3)`,
      [mspId, tenantIds, groupIds],
    );
    return new Set(rows.map((row) => row.id));
  }

  /** The domains of each tenant's computers, and the agents on their controllers. */
  async surroundings(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, Surroundings>> {
    const rows = await tx.query<{ id: Id; is_msp: boolean; domains: string[]; controlled: string[] }>(
      `select t.id, t.parent_id is null as is_msp,
         coalesce(array_agg(distinct d.domain) filter (where d.domain is not null), '{}') as domains,
         coalesce(array_agg(distinct d.domain) filter (where d.domain is not null and d.kind = 'DOMAIN_CONTROLLER'), '{}') as controlled
       from tenant t left join device d on d.msp_id = t.msp_id and d.tenant_id = t.id and d.active
       where t.msp_id = $1 and t.id = any($2) group by t.msp_id, t.id`,
      [mspId, tenantIds],
    );
    return new Map(
      rows.map((row) => [
        row.id,
        // No agent tells yet that it can make accounts in a domain.
        { isMsp: row.is_msp, domains: row.domains, controllers: row.controlled.map((domain) => ({ domain, makesAccounts: false })) },
      ]),
    );
  }
}

function asJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
