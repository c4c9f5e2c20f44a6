import type { Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { promptMemorySeconds, type PastPrompt } from './prompt.domain.ts';

interface Row {
  asked_at: Date;
  state: string;
  by_asked: boolean;
  /** It waited for other people after its technician had approved it. */
  awaited: boolean;
  decided_at: Date | null;
  disowned_at: Date | null;
}

/** What PUSH logins have asked of technicians: columns of login requests. */
export class PromptRepository {
  /** Takes the address that was typed for this login out of its row; null when it was taken before. */
  async takeEmail(tx: SystemTx, mspId: Id, loginRequestId: Id): Promise<string | null> {
    const [row] = await tx.query<{ email: string }>(
      `with typed as (select msp_id, id, asked_email as email from login_request
         where msp_id = $1 and id = $2 and asked_email is not null for update)
       update login_request l set asked_email = null from typed where l.msp_id = typed.msp_id and l.id = typed.id returning typed.email`,
      [mspId, loginRequestId],
    );
    return row?.email ?? null;
  }

  /** The active technician with this address, locked so that prompts are counted one after the other; null unless there is exactly one. */
  async technicianLocked(tx: SystemTx, mspId: Id, email: string): Promise<Id | null> {
    const rows = await tx.query<{ id: Id }>(
      'select id from technician where msp_id = $1 and lower(email) = $2 and active order by id limit 2 for no key update',
      [mspId, email],
    );
    const [only] = rows;
    return only !== undefined && rows.length === 1 ? only.id : null;
  }

  /** The prompts of the technician's last day. */
  async past(tx: SystemTx, mspId: Id, technicianId: Id, now: Date): Promise<PastPrompt[]> {
    const rows = await tx.query<Row>(
      `select asked_at, state, decided_by = asked_technician_id as by_asked, decided_at, disowned_at,
         exists (select from access_request a where a.msp_id = l.msp_id and a.login_request_id = l.id) as awaited from login_request l
       where msp_id = $1 and asked_technician_id = $2 and asked_at > $3::timestamptz - make_interval(secs => $4) order by asked_at desc limit 500`,
      [mspId, technicianId, now, promptMemorySeconds],
    );
    return rows.map((row) => ({
      askedAt: row.asked_at,
      disownedAt: row.disowned_at,
      answer: answered(row),
    }));
  }

  /** The login asks this technician from now on. */
  async ask(tx: SystemTx, mspId: Id, loginRequestId: Id, technicianId: Id, now: Date): Promise<void> {
    await tx.query('update login_request set asked_technician_id = $3, asked_at = $4 where msp_id = $1 and id = $2', [
      ...[mspId, loginRequestId],
      ...[technicianId, now],
    ]);
  }

  /** Keeps that the technician said "not me"; false when that was kept before. */
  async disown(tx: TenantTx, mspId: Id, loginRequestId: Id, now: Date): Promise<boolean> {
    const rows = await tx.query(
      'update login_request set disowned_at = $3 where msp_id = $1 and id = $2 and disowned_at is null returning id',
      [mspId, loginRequestId, now],
    );
    return rows.length === 1;
  }

  /** Ids of logins that still ask the technician, in the scope, oldest first. */
  async open(tx: Tx, mspId: Id, technicianId: Id, now: Date): Promise<Id[]> {
    const rows = await tx.query<{ id: Id }>(
      `select id from login_request where msp_id = $1 and asked_technician_id = $2 and state = 'PENDING' and expires_at > $3 order by id`,
      [mspId, technicianId, now],
    );
    return rows.map(({ id }) => id);
  }
}

/** What the one who was asked said, if anything: other people deny, too, what they approved or have not answered yet. */
function answered({ state, decided_at: at, by_asked: byAsked, awaited }: Row): PastPrompt['answer'] {
  if (at === null || !['DENIED', 'APPROVED', 'AWAITING_APPROVAL'].includes(state)) return null;
  if (state !== 'DENIED' || awaited) return { at, was: 'approved' };
  return byAsked ? { at, was: 'denied' } : null;
}
