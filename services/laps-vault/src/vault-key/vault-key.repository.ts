import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { VaultKey } from './vault-key.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  public_key: string;
  wrapped_private_key: Buffer | null;
  created_at: Date;
  retired_at: Date | null;
}
const columns = 'msp_id, tenant_id, id, public_key, wrapped_private_key, created_at, retired_at';

/** Rows of vault keys. */
@Injectable()
export class VaultKeyRepository {
  async find(tx: Tx, mspId: Id, id: Id): Promise<VaultKey | null> {
    const [row] = await tx.query<Row>(`select ${columns} from vault_key where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asKey(row);
  }

  /** The key as it stays until the transaction ends: nobody destroys it meanwhile. For whoever keeps something under it. */
  async held(tx: Tx, mspId: Id, id: Id): Promise<VaultKey | null> {
    const [row] = await tx.query<Row>(`select ${columns} from vault_key where msp_id = $1 and id = $2 for share`, [mspId, id]);
    return row === undefined ? null : asKey(row);
  }

  /** The key to which a tenant's agents seal; null before the first. */
  async inUse(tx: Tx, mspId: Id, tenantId: Id): Promise<VaultKey | null> {
    const [row] = await tx.query<Row>(`select ${columns} from vault_key where msp_id = $1 and tenant_id = $2 and retired_at is null`, [
      mspId,
      tenantId,
    ]);
    return row === undefined ? null : asKey(row);
  }

  /** Adds a key; false when the tenant has one in use already. */
  async add(tx: Tx, key: VaultKey, rootKeyId: string): Promise<boolean> {
    const rows = await tx.query(
      `insert into vault_key (msp_id, tenant_id, id, public_key, wrapped_private_key, root_key_id, created_at)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id`,
      [key.mspId, key.tenantId, key.id, key.publicKey, key.wrappedPrivateKey, rootKeyId, key.createdAt],
    );
    return rows.length === 1;
  }

  /** Takes a key out of use; false when somebody has done it before. */
  async retire(tx: Tx, mspId: Id, id: Id, at: Date): Promise<boolean> {
    const sql = 'update vault_key set retired_at = $3 where msp_id = $1 and id = $2 and retired_at is null returning id';
    return (await tx.query(sql, [mspId, id, at])).length === 1;
  }

  /** How many passwords of a tenant stand under keys that are not in use any more. */
  async behind(tx: Tx, mspId: Id, tenantId: Id): Promise<number> {
    const [row] = await tx.query<{ behind: number }>(
      `select count(*)::int as behind from vault_key k join laps_version v on v.msp_id = k.msp_id and v.vault_key_id = k.id
       where k.msp_id = $1 and k.tenant_id = $2 and k.retired_at is not null`,
      [mspId, tenantId],
    );
    return row?.behind ?? 0;
  }

  /** Keys after `after` that one of these root keys wraps, at most `limit`. */
  async wrappedUnder(
    tx: SystemTx,
    rootKeyIds: readonly string[],
    after: Pick<VaultKey, 'mspId' | 'id'> | null,
    limit: number,
  ): Promise<VaultKey[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from vault_key
       where root_key_id = any($1) and destroyed_at is null and ($2::uuid is null or (msp_id, id) > ($2, $3)) order by msp_id, id limit $4`,
      [rootKeyIds, after?.mspId ?? null, after?.id ?? null, limit],
    );
    return rows.map(asKey);
  }

  /** How many keys are wrapped under each root key that is not one of these. */
  async wrappedUnderOthers(tx: SystemTx, rootKeyIds: readonly string[]): Promise<{ rootKeyId: string; vaultKeys: number }[]> {
    return tx.query(
      `select root_key_id as "rootKeyId", count(*)::int as "vaultKeys" from vault_key
       where destroyed_at is null and root_key_id <> all($1) group by root_key_id order by 1`,
      [rootKeyIds],
    );
  }

  /** Puts another wrapping in the place of the one in `key`; false when that is not there any more. */
  async rewrap(tx: SystemTx, key: VaultKey, wrapped: Buffer, rootKeyId: string): Promise<boolean> {
    const rows = await tx.query(
      `update vault_key set wrapped_private_key = $4, root_key_id = $5
       where msp_id = $1 and id = $2 and wrapped_private_key = $3 returning id`,
      [key.mspId, key.id, key.wrappedPrivateKey, wrapped, rootKeyId],
    );
    return rows.length === 1;
  }

  /** Notes the keys that were retired before `closed` and have no passwords any more. */
  async noteEmpty(tx: SystemTx, closed: Date, now: Date): Promise<void> {
    await tx.query(
      `update vault_key k set empty_since = $2
       where k.retired_at < $1 and k.destroyed_at is null and k.empty_since is null and not exists (
         select 1 from laps_version v where v.msp_id = k.msp_id and v.vault_key_id = k.id)`,
      [closed, now],
    );
  }

  /** Destroys keys that have stood without passwords since before `emptyBefore`; answers them. */
  async destroyEmpty(tx: SystemTx, emptyBefore: Date, now: Date, limit: number): Promise<Pick<VaultKey, 'mspId' | 'tenantId' | 'id'>[]> {
    const locked = await tx.query<{ id: Id }>(
      `select id from vault_key where retired_at is not null and destroyed_at is null and empty_since < $1
       order by id limit $2 for update skip locked`,
      [emptyBefore, limit],
    );
    const ids = locked.map(({ id }) => id);
    // Looked at once more, now that nobody can keep anything under them.
    await tx.query(
      `update vault_key k set empty_since = null where k.id = any($1) and exists (
         select 1 from laps_version v where v.msp_id = k.msp_id and v.vault_key_id = k.id)`,
      [ids],
    );
    return tx.query(
      `update vault_key set wrapped_private_key = null, destroyed_at = $2 where id = any($1) and empty_since is not null
       returning msp_id as "mspId", tenant_id as "tenantId", id`,
      [ids, now],
    );
  }
}

function asKey(row: Row): VaultKey {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, publicKey: row.public_key },
    ...{ wrappedPrivateKey: row.wrapped_private_key, createdAt: row.created_at, retiredAt: row.retired_at },
  };
}
