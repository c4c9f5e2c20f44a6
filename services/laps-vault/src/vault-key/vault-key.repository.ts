import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
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
}

function asKey(row: Row): VaultKey {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, publicKey: row.public_key },
    ...{ wrappedPrivateKey: row.wrapped_private_key, createdAt: row.created_at, retiredAt: row.retired_at },
  };
}
