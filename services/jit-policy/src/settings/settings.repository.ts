import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import { effectiveSettings, readOwnSettings, type EffectiveSettings, type OwnSettings } from './settings.domain.ts';

/** What is set on which tenant. */
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
}
