import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';

/** Public keys to which emergency exports are sealed. */
@Injectable()
export class OfflineKeyRepository {
  /** The key that counts in a tenant: its own, or the nearest above; null for none. */
  async forTenant(tx: Tx, mspId: Id, tenantId: Id): Promise<string | null> {
    const [row] = await tx.query<{ key: string }>(
      `select k.public_key as key from tenant t join offline_key k on k.msp_id = t.msp_id and k.id = any(t.path)
       where t.msp_id = $1 and t.id = $2 order by array_position(t.path, k.id) desc limit 1`,
      [mspId, tenantId],
    );
    return row?.key ?? null;
  }

  async set(tx: Tx, mspId: Id, tenantId: Id, publicKey: string | null, at: Date): Promise<void> {
    if (publicKey === null) {
      await tx.query('delete from offline_key where msp_id = $1 and id = $2', [mspId, tenantId]);
      return;
    }
    await tx.query(
      `insert into offline_key (msp_id, tenant_id, id, public_key, set_at) values ($1, $2, $2, $3, $4)
       on conflict (msp_id, id) do update set public_key = excluded.public_key, set_at = excluded.set_at`,
      [mspId, tenantId, publicKey, at],
    );
  }
}
