import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

/** A password that stands under a key which is not in use any more. */
export interface PasswordBehind {
  id: Id;
  tenantId: Id;
  accountId: Id;
  enc: Buffer;
  ciphertext: Buffer;
}

/** Rows of kept passwords, as sealing anew sees them. */
@Injectable()
export class ResealRepository {
  /** The first key after `after` that is out of use and still has passwords. */
  async nextKey(tx: SystemTx, after: { mspId: Id; id: Id } | null): Promise<{ mspId: Id; id: Id } | null> {
    const [row] = await tx.query<{ mspId: Id; id: Id }>(
      `select k.msp_id as "mspId", k.id from vault_key k
       where k.retired_at is not null and k.destroyed_at is null and ($1::uuid is null or (k.msp_id, k.id) > ($1, $2))
         and exists (select 1 from laps_version v where v.msp_id = k.msp_id and v.vault_key_id = k.id)
       order by k.msp_id, k.id limit 1`,
      [after?.mspId ?? null, after?.id ?? null],
    );
    return row ?? null;
  }

  /** Passwords under a key, in the order of their ids. */
  async behind(tx: SystemTx, key: { mspId: Id; id: Id }, after: Id | null, limit: number): Promise<PasswordBehind[]> {
    return tx.query(
      `select id, tenant_id as "tenantId", account_id as "accountId", enc, ciphertext from laps_version
       where msp_id = $1 and vault_key_id = $2 and ($3::uuid is null or id > $3) order by id limit $4`,
      [key.mspId, key.id, after, limit],
    );
  }

  /** Puts a password under another key; nothing happens where it is not the one any more that was sealed anew. */
  async move(
    tx: SystemTx,
    { id, ciphertext }: Pick<PasswordBehind, 'id' | 'ciphertext'>,
    from: { mspId: Id; id: Id },
    to: { keyId: Id; enc: Buffer; ciphertext: Buffer },
  ): Promise<void> {
    await tx.query(
      `update laps_version set vault_key_id = $5, enc = $6, ciphertext = $7
       where msp_id = $1 and id = $2 and vault_key_id = $3 and ciphertext = $4`,
      [from.mspId, id, from.id, ciphertext, to.keyId, to.enc, to.ciphertext],
    );
  }
}
