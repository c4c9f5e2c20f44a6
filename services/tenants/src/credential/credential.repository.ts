import { Injectable } from '@nestjs/common';
import type { Permission } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Credential, SubjectKind } from './credential.domain.ts';

@Injectable()
export class CredentialRepository {
  /** Registers a public key; false when the id is taken. */
  async insert(tx: Tx, credential: Omit<Credential, 'granted' | 'pending'> & { pending?: boolean }): Promise<boolean> {
    const { mspId, tenantId, id, kind, subjectId, publicKey, pending = false } = credential;
    const rows = await tx.query(
      'insert into credential (msp_id, tenant_id, id, kind, subject_id, public_key, pending) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id',
      [mspId, tenantId, id, kind, subjectId, publicKey, pending],
    );
    return rows.length > 0;
  }

  /** A subject's public keys. */
  async keysOf(tx: Tx, mspId: Id, subjectId: Id): Promise<{ id: Id; x: string }[]> {
    return tx.query('select id, public_key as x from credential where msp_id = $1 and subject_id = $2 order by id', [mspId, subjectId]);
  }

  /** A subject's keys, locked until the transaction ends. */
  async lockAll(tx: SystemTx, mspId: Id, subjectId: Id): Promise<{ id: Id; publicKey: string; pending: boolean; endsAt: Date | null }[]> {
    return tx.query(
      `select id, public_key as "publicKey", pending, ends_at as "endsAt" from credential where msp_id = $1 and subject_id = $2 order by id for update`,
      [mspId, subjectId],
    );
  }

  /** Sets when a subject's keys end, save `exceptId`; an earlier end stays. */
  async endOthers(tx: SystemTx, mspId: Id, subjectId: Id, exceptId: Id, endsAt: Date): Promise<void> {
    await tx.query('update credential set ends_at = least(coalesce(ends_at, $4), $4) where msp_id = $1 and subject_id = $2 and id <> $3', [
      mspId,
      subjectId,
      exceptId,
      endsAt,
    ]);
  }

  async remove(tx: SystemTx, mspId: Id, ids: readonly Id[]): Promise<void> {
    await tx.query('delete from credential where msp_id = $1 and id = any($2)', [mspId, ids]);
  }

  /** A pending key becomes the one of its subject. */
  async settle(tx: SystemTx, mspId: Id, subjectId: Id, id: Id): Promise<void> {
    await tx.query('update credential set pending = false where msp_id = $1 and id = $2', [mspId, id]);
    await tx.query('update api_client set client_id = $3 where msp_id = $1 and id = $2', [mspId, subjectId, id]);
  }

  /** A credential that has not ended and whose subject is active, by its id alone. */
  async findActive(tx: SystemTx, id: Id, now: Date): Promise<Credential | null> {
    const [row] = await tx.query<{
      msp_id: Id;
      tenant_id: Id;
      id: Id;
      kind: SubjectKind;
      subject_id: Id;
      public_key: string;
      pending: boolean;
      granted: Permission[] | null;
    }>(
      `select c.msp_id, c.tenant_id, c.id, c.kind, c.subject_id, c.public_key, c.pending, a.permissions as granted
       from credential c
       left join device d on c.kind = 'DEVICE' and d.msp_id = c.msp_id and d.id = c.subject_id and d.active
       left join api_client a on c.kind = 'CLIENT' and a.msp_id = c.msp_id and a.id = c.subject_id and a.active
       where c.id = $1 and (c.ends_at is null or c.ends_at > $2) and coalesce(d.id, a.id) is not null`,
      [id, now],
    );
    if (row === undefined) return null;
    return {
      mspId: row.msp_id,
      tenantId: row.tenant_id,
      id: row.id,
      kind: row.kind,
      subjectId: row.subject_id,
      publicKey: row.public_key,
      pending: row.pending,
      granted: row.granted ?? [],
    };
  }
}
