import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Version, VersionState } from './version.domain.ts';

/** A password as the vault keeps it: sealed by the agent to a vault key. */
export interface KeptVersion extends Version {
  mspId: Id;
  tenantId: Id;
  accountId: Id;
  vaultKeyId: Id;
  enc: Buffer;
  ciphertext: Buffer;
  escrowedAt: Date;
  confirmedAt: Date | null;
}

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  account_id: Id;
  fence: number;
  state: VersionState;
  vault_key_id: Id;
  enc: Buffer;
  ciphertext: Buffer;
  escrowed_at: Date;
  confirmed_at: Date | null;
}
const columns = 'msp_id, tenant_id, id, account_id, fence, state, vault_key_id, enc, ciphertext, escrowed_at, confirmed_at';

/** Rows of kept passwords. */
@Injectable()
export class VersionRepository {
  async find(tx: Tx, mspId: Id, id: Id): Promise<KeptVersion | null> {
    const [row] = await tx.query<Row>(`select ${columns} from laps_version where msp_id = $1 and id = $2`, [mspId, id]);
    return row === undefined ? null : asVersion(row);
  }

  /** All passwords of an account, newest first. Lock the account's device first where they are to change. */
  async ofAccount(tx: Tx, mspId: Id, accountId: Id): Promise<KeptVersion[]> {
    return this.ofAccounts(tx, mspId, [accountId]);
  }

  async ofAccounts(tx: Tx, mspId: Id, accountIds: readonly Id[]): Promise<KeptVersion[]> {
    const rows = await tx.query<Row>(`select ${columns} from laps_version where msp_id = $1 and account_id = any($2) order by fence desc`, [
      mspId,
      accountIds,
    ]);
    return rows.map(asVersion);
  }

  /** Adds the newest password of an account; the one that was open before becomes a candidate. */
  async add(tx: Tx, version: Omit<KeptVersion, 'state' | 'confirmedAt'>): Promise<void> {
    await tx.query(`update laps_version set state = 'CANDIDATE' where msp_id = $1 and account_id = $2 and state = 'PENDING'`, [
      version.mspId,
      version.accountId,
    ]);
    await tx.query(
      `insert into laps_version (msp_id, tenant_id, id, account_id, fence, state, vault_key_id, enc, ciphertext, escrowed_at)
       values ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $8, $9)`,
      [
        ...[version.mspId, version.tenantId, version.id, version.accountId, version.fence],
        ...[version.vaultKeyId, version.enc, version.ciphertext, version.escrowedAt],
      ],
    );
  }

  /** Deletes former passwords from before `before` that are beyond the number that the settings of their tenant keep; answers how many. */
  async deleteFormer(tx: SystemTx, before: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from laps_version where (msp_id, id) in (
         select v.msp_id, v.id from laps_version v join laps_settings s on s.msp_id = v.msp_id and s.id = v.tenant_id
         where v.state = 'FORMER' and v.escrowed_at < $1 and (
           select count(*) from laps_version newer where newer.msp_id = v.msp_id and newer.account_id = v.account_id
             and newer.state = 'FORMER' and newer.fence > v.fence) >= (s.effective ->> 'historyLength')::int
         limit $2) returning 1`,
      [before, limit],
    );
    return rows.length;
  }

  /** Writes new states; `at` is when a CURRENT one was read back. What stops being CURRENT goes first: there is one at most. */
  async setStates(tx: Tx, mspId: Id, versions: readonly Version[], at: Date): Promise<void> {
    for (const { id, state } of [...versions].sort((a, b) => Number(a.state === 'CURRENT') - Number(b.state === 'CURRENT'))) {
      await tx.query(
        `update laps_version set state = $3, confirmed_at = case when $3 = 'CURRENT' then $4 else confirmed_at end where msp_id = $1 and id = $2`,
        [mspId, id, state, at],
      );
    }
  }
}

function asVersion(row: Row): KeptVersion {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, accountId: row.account_id, fence: row.fence, state: row.state },
    ...{ vaultKeyId: row.vault_key_id, enc: row.enc, ciphertext: row.ciphertext },
    ...{ escrowedAt: row.escrowed_at, confirmedAt: row.confirmed_at },
  };
}
