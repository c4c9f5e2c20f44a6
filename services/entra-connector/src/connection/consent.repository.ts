import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';

/** Somebody on the way to Microsoft's consent page and back. */
export interface Consent {
  mspId: Id;
  tenantId: Id;
  id: Id;
  stateHash: Buffer;
  technicianId: Id;
  /** Null where the caller has no session of a browser. */
  sessionId: string | null;
  entraTenantId: string;
  expiresAt: Date;
}

/** Rows of consents under way. */
@Injectable()
export class ConsentRepository {
  async add(tx: TenantTx, consent: Consent): Promise<void> {
    const { mspId, tenantId, id, stateHash, technicianId, sessionId, entraTenantId, expiresAt } = consent;
    await tx.query(
      `insert into entra_consent (msp_id, tenant_id, id, state_hash, technician_id, session_id, entra_tenant_id, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [mspId, tenantId, id, stateHash, technicianId, sessionId, entraTenantId, expiresAt],
    );
  }

  /** The one with this state that this person began in this session, unless it is too late or was used. */
  async open(tx: Tx, mspId: Id, stateHash: Buffer, who: { id: Id; sessionId: string | null }, now: Date): Promise<Consent | null> {
    const [row] = await tx.query<Consent>(
      `select msp_id as "mspId", tenant_id as "tenantId", id, state_hash as "stateHash", technician_id as "technicianId",
         session_id as "sessionId", entra_tenant_id as "entraTenantId", expires_at as "expiresAt"
       from entra_consent
       where msp_id = $1 and state_hash = $2 and technician_id = $3 and session_id is not distinct from $4 and expires_at > $5
         and used_at is null`,
      [mspId, stateHash, who.id, who.sessionId, now],
    );
    return row ?? null;
  }

  /** Uses it up; false when somebody has done so. */
  async use(tx: TenantTx, { mspId, id }: Consent, now: Date): Promise<boolean> {
    const sql = 'update entra_consent set used_at = $3 where msp_id = $1 and id = $2 and used_at is null returning id';
    return (await tx.query(sql, [mspId, id, now])).length === 1;
  }

  async removeOld(tx: SystemTx, expiredBefore: Date): Promise<number> {
    return (await tx.query('delete from entra_consent where expires_at < $1 returning id', [expiredBefore])).length;
  }
}
