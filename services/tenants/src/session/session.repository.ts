import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import type { Session, SignInMethod } from './session.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  client: string;
  user_agent: string;
  signed_in_by: SignInMethod;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
}
const columns = 'msp_id, tenant_id, id, technician_id, client, user_agent, signed_in_by, created_at, last_used_at, expires_at';

@Injectable()
export class SessionRepository {
  /** Keeps a session that has begun, for a technician who is active; false when they are not (any more). */
  async insert(tx: SystemTx, session: Omit<Session, 'mspId' | 'tenantId' | 'lastUsedAt'>, payload: string): Promise<Session | null> {
    const { id, technicianId, client, userAgent, signedInBy, createdAt, expiresAt } = session;
    const [row] = await tx.query<Row>(
      `insert into sign_in_session (${columns}, payload)
       select t.msp_id, t.tenant_id, $1, t.id, $3, $4, $5, $6, $6, $7, $8 from technician t where t.id = $2 and t.active for share of t
       returning ${columns}`,
      [id, technicianId, client, userAgent, signedInBy, createdAt, expiresAt, payload],
    );
    return row === undefined ? null : asSession(row);
  }

  /** What the authorization server wants back of a session that has not ended. */
  async payload(tx: SystemTx, id: Id, now: Date): Promise<string | null> {
    const [row] = await tx.query<{ payload: string }>(
      'select payload::text as payload from sign_in_session where id = $1 and expires_at > $2',
      [id, now],
    );
    return row?.payload ?? null;
  }

  /** Locked until the transaction ends. */
  async lock(tx: SystemTx, id: Id): Promise<Session | null> {
    const [row] = await tx.query<Row>(`select ${columns} from sign_in_session where id = $1 for update`, [id]);
    return row === undefined ? null : asSession(row);
  }

  async touch(tx: SystemTx, id: Id, now: Date): Promise<void> {
    await tx.query('update sign_in_session set last_used_at = $2 where id = $1', [id, now]);
  }

  /** Newest first. */
  async ofTechnicians(tx: Tx, mspId: Id, technicianIds: readonly Id[], now: Date): Promise<Session[]> {
    const rows = await tx.query<Row>(
      `select ${columns} from sign_in_session where msp_id = $1 and technician_id = any($2) and expires_at > $3 order by id desc`,
      [mspId, technicianIds, now],
    );
    return rows.map(asSession);
  }

  async remove(tx: SystemTx, ids: readonly Id[]): Promise<void> {
    await tx.query('delete from sign_in_session where id = any($1)', [ids]);
  }

  /** Removes up to a thousand sessions that are over; answers how many. */
  async sweep(tx: SystemTx, now: Date): Promise<number> {
    const rows = await tx.query(
      `delete from sign_in_session where id in (select id from sign_in_session where expires_at < $1 limit 1000 for update skip locked) returning id`,
      [now],
    );
    return rows.length;
  }
}

function asSession(row: Row): Session {
  return {
    mspId: row.msp_id,
    tenantId: row.tenant_id,
    id: row.id,
    technicianId: row.technician_id,
    client: row.client,
    userAgent: row.user_agent,
    signedInBy: row.signed_in_by,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
  };
}
