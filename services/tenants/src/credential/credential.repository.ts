import { Injectable } from '@nestjs/common';
import type { Permission, RoleAssignment } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Credential, SubjectKind } from './credential.domain.ts';

@Injectable()
export class CredentialRepository {
  /** Registers a public key; false when the id is taken. */
  async insert(tx: Tx, credential: Omit<Credential, 'roles' | 'granted'>): Promise<boolean> {
    const { mspId, tenantId, id, kind, subjectId, publicKey } = credential;
    const rows = await tx.query(
      'insert into credential (msp_id, tenant_id, id, kind, subject_id, public_key) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning id',
      [mspId, tenantId, id, kind, subjectId, publicKey],
    );
    return rows.length > 0;
  }

  /** A subject's public keys. */
  async keysOf(tx: Tx, mspId: Id, subjectId: Id): Promise<{ id: Id; x: string }[]> {
    return tx.query('select id, public_key as x from credential where msp_id = $1 and subject_id = $2 order by id', [mspId, subjectId]);
  }

  /** A credential whose subject is active, by its id alone. */
  async findActive(tx: SystemTx, id: Id): Promise<Credential | null> {
    const [row] = await tx.query<{
      msp_id: Id;
      tenant_id: Id;
      id: Id;
      kind: SubjectKind;
      subject_id: Id;
      public_key: string;
      roles: RoleAssignment[] | null;
      granted: Permission[] | null;
    }>(
      `select c.msp_id, c.tenant_id, c.id, c.kind, c.subject_id, c.public_key, a.permissions as granted,
         (select jsonb_agg(jsonb_build_object('tenantId', r.tenant_id, 'role', r.role) order by r.id)
          from role_assignment r where r.msp_id = t.msp_id and r.technician_id = t.id) as roles
       from credential c
       left join technician t on c.kind = 'TECHNICIAN' and t.msp_id = c.msp_id and t.id = c.subject_id and t.active
       left join device d on c.kind = 'DEVICE' and d.msp_id = c.msp_id and d.id = c.subject_id and d.active
       left join api_client a on c.kind = 'CLIENT' and a.msp_id = c.msp_id and a.id = c.subject_id and a.active
       where c.id = $1 and coalesce(t.id, d.id, a.id) is not null`,
      [id],
    );
    if (row === undefined) return null;
    return {
      mspId: row.msp_id,
      tenantId: row.tenant_id,
      id: row.id,
      kind: row.kind,
      subjectId: row.subject_id,
      publicKey: row.public_key,
      roles: row.roles ?? [],
      granted: row.granted ?? [],
    };
  }
}
