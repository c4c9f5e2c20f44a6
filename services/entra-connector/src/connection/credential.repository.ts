import { Injectable } from '@nestjs/common';
import { rootKeyIdOf } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import type { Credential } from './credential.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  kind: Credential['kind'];
  state: Credential['state'];
  wrapped: Buffer;
  certificate_pem: string | null;
  thumbprint: string | null;
  thumbprint_s256: string | null;
  created_at: Date;
  ends_at: Date;
  retired_at: Date | null;
  warned_days: number | null;
}
const columns =
  'msp_id, tenant_id, id, kind, state, wrapped, certificate_pem, thumbprint, thumbprint_s256, created_at, ends_at, retired_at, warned_days';

/** Rows of credentials. */
@Injectable()
export class CredentialRepository {
  /** All of a tenant, oldest first. */
  async of(tx: Tx, mspId: Id, tenantId: Id): Promise<Credential[]> {
    return this.several(tx, mspId, [tenantId]);
  }

  /** All of several tenants, oldest first. */
  async several(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Credential[]> {
    const sql = `select ${columns} from entra_credential where msp_id = $1 and tenant_id = any($2) order by id`;
    return (await tx.query<Row>(sql, [mspId, tenantIds])).map(asCredential);
  }

  /** Adds a new one in the place of an earlier new one; answers that one's id, or null. */
  async add(tx: TenantTx, credential: Credential): Promise<Id | null> {
    const { mspId, tenantId } = credential;
    const sql = `delete from entra_credential where msp_id = $1 and tenant_id = $2 and state = 'NEW' returning id`;
    const [replaced] = await tx.query<{ id: Id }>(sql, [mspId, tenantId]);
    await tx.query(
      `insert into entra_credential (${columns}, root_key_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        ...[mspId, tenantId, credential.id, credential.kind, credential.state, credential.wrapped, credential.certificatePem],
        ...[credential.thumbprint, credential.thumbprintS256, credential.createdAt, credential.endsAt, credential.retiredAt],
        ...[credential.warnedDays, rootKeyIdOf(credential.wrapped)],
      ],
    );
    return replaced?.id ?? null;
  }

  /** The new one takes over from the one in use; answers that one's id, or null before the first. */
  async takeOver(tx: TenantTx | SystemTx, { mspId, tenantId, id }: Credential, at: Date): Promise<Id | null> {
    const [former] = await tx.query<{ id: Id }>(
      `update entra_credential set state = 'FORMER', retired_at = $3 where msp_id = $1 and tenant_id = $2 and state = 'IN_USE' returning id`,
      [mspId, tenantId, at],
    );
    await tx.query(`update entra_credential set state = 'IN_USE' where msp_id = $1 and id = $2 and state = 'NEW'`, [mspId, id]);
    return former?.id ?? null;
  }

  /** Removes one that is not in use; false when there is none such. */
  async remove(tx: TenantTx, mspId: Id, tenantId: Id, id: Id): Promise<boolean> {
    const sql = `delete from entra_credential where msp_id = $1 and tenant_id = $2 and id = $3 and state <> 'IN_USE' returning id`;
    return (await tx.query(sql, [mspId, tenantId, id])).length === 1;
  }

  async removeAll(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id): Promise<void> {
    await tx.query('delete from entra_credential where msp_id = $1 and tenant_id = $2', [mspId, tenantId]);
  }

  /** Removes former ones that were retired before; answers them. */
  async removeFormer(tx: SystemTx, retiredBefore: Date): Promise<Pick<Credential, 'mspId' | 'tenantId' | 'id'>[]> {
    const sql = `delete from entra_credential where state = 'FORMER' and retired_at < $1
                 returning msp_id as "mspId", tenant_id as "tenantId", id`;
    return tx.query(sql, [retiredBefore]);
  }

  /** Those in use that end before, and were not warned of for so few days; locked. */
  async toWarn(tx: SystemTx, endsBefore: Date, days: number, limit: number): Promise<Credential[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from entra_credential where state = 'IN_USE' and ends_at <= $1 and (warned_days is null or warned_days > $2)
       order by id limit $3 for update skip locked`,
      [endsBefore, days, limit],
    );
    return rows.map(asCredential);
  }

  async noteWarned(tx: SystemTx, { mspId, id }: Credential, days: number): Promise<void> {
    await tx.query('update entra_credential set warned_days = $3 where msp_id = $1 and id = $2', [mspId, id, days]);
  }
}

function asCredential(row: Row): Credential {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, kind: row.kind, state: row.state, wrapped: row.wrapped },
    ...{ certificatePem: row.certificate_pem, thumbprint: row.thumbprint, thumbprintS256: row.thumbprint_s256 },
    ...{ createdAt: row.created_at, endsAt: row.ends_at, retiredAt: row.retired_at, warnedDays: row.warned_days },
  };
}
