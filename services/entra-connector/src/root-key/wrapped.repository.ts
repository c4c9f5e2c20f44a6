import { Injectable } from '@nestjs/common';
import { rootKeyIdOf } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { candidatePlace } from '../break-glass/break-glass.domain.ts';
import { credentialPlace } from '../connection/credential.domain.ts';

/** Every table with something that the key provider wraps. One that is missing here loses what it has with the former root key. */
export const wrappedTables = ['entra_credential', 'break_glass_candidate'] as const;

/** Something that the key provider wraps, in whichever table. */
export interface Wrapped {
  table: (typeof wrappedTables)[number];
  mspId: Id;
  id: Id;
  /** Where it belongs: it opens nowhere else. */
  place: string;
  wrapped: Buffer;
}
type Row = Omit<Wrapped, 'place'> & { tenantId: Id; accountId: Id | null };

const all = `(
  select 'entra_credential' as "table", msp_id, tenant_id, id, null::uuid as account_id, wrapped, root_key_id from entra_credential
  union all
  select 'break_glass_candidate', msp_id, tenant_id, id, account_id, wrapped, root_key_id from break_glass_candidate) wrapped`;

/** What is wrapped by the key provider, whatever it is. */
@Injectable()
export class WrappedRepository {
  /** Those after `after` that one of these root keys wraps. */
  async under(tx: SystemTx, rootKeyIds: readonly string[], after: Id | null, limit: number): Promise<Wrapped[]> {
    const rows = await tx.query<Row>(
      `select "table", msp_id as "mspId", tenant_id as "tenantId", id, account_id as "accountId", wrapped from ${all}
       where root_key_id = any($1) and ($2::uuid is null or id > $2) order by id limit $3`,
      [rootKeyIds, after, limit],
    );
    return rows.map(({ tenantId, accountId, ...row }) => {
      const { mspId, id } = row;
      return {
        ...row,
        place: accountId === null ? credentialPlace({ mspId, tenantId, id }) : candidatePlace({ mspId, tenantId, accountId, id }),
      };
    });
  }

  /** How much each root key wraps; one that wraps nothing is not in the answer. */
  async count(tx: SystemTx): Promise<{ rootKeyId: string; count: number }[]> {
    return tx.query(`select root_key_id as "rootKeyId", count(*)::int as count from ${all} group by root_key_id order by 1`);
  }

  /** Puts another wrapping in the place of the one in `before`; false when that is not there any more. */
  async rewrap(tx: SystemTx, { table, mspId, id, wrapped: before }: Wrapped, wrapped: Buffer): Promise<boolean> {
    const where = 'where msp_id = $1 and id = $2 and wrapped = $3 returning id';
    const rows =
      table === 'entra_credential'
        ? await tx.query(`update entra_credential set wrapped = $4, root_key_id = $5 ${where}`, [
            mspId,
            id,
            before,
            wrapped,
            rootKeyIdOf(wrapped),
          ])
        : // Its root key is read from the wrapping by the database.
          await tx.query(`update break_glass_candidate set wrapped = $4 ${where}`, [mspId, id, before, wrapped]);
    return rows.length === 1;
  }
}
