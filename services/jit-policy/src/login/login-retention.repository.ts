import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

/** Logins whose time to be kept is over. */
export class LoginRetentionRepository {
  /** False while another replica is at it. */
  async begin(tx: SystemTx): Promise<boolean> {
    const [row] = await tx.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(hashtext('stint login retention')) as mine`);
    return row?.mine === true;
  }

  /**
   * At most `limit` logins that are over, with everything that came of them, for longer than their tenant's audit events
   * are kept; of tenants whose retention is known. One index probe for each tenant.
   */
  async old(tx: SystemTx, now: Date, limit: number): Promise<{ mspId: Id; id: Id }[]> {
    return tx.query(
      `select old.msp_id as "mspId", old.id from audit_retention_told r cross join lateral (
         select l.msp_id, l.id from login_request l
         where l.msp_id = r.msp_id and l.tenant_id = r.id and l.started_at < $1::timestamptz - make_interval(days => r.days)
           and l.state not in ('PENDING', 'AWAITING_APPROVAL')
           and not exists (select from jit_grant g where g.msp_id = l.msp_id and g.login_request_id = l.id
             and (g.state not in ('ENDED', 'FAILED') or greatest(g.approved_at, g.ended_at) >= $1::timestamptz - make_interval(days => r.days)))
           and not exists (select from access_request a where a.msp_id = l.msp_id and a.login_request_id = l.id and a.state = 'PENDING')
         order by l.started_at limit $2) old limit $2`,
      [now, limit],
    );
  }

  /** Removes logins with their access requests, approvals, grants, and the changes of those. */
  async remove(tx: SystemTx, logins: readonly { mspId: Id; id: Id }[]): Promise<void> {
    const these = [logins.map(({ mspId }) => mspId), logins.map(({ id }) => id)];
    const old = 'unnest($1::uuid[], $2::uuid[]) as old(msp_id, id)';
    await tx.query(
      `delete from access_approval p using access_request a, ${old}
       where a.msp_id = old.msp_id and a.login_request_id = old.id and p.msp_id = a.msp_id and p.access_request_id = a.id`,
      these,
    );
    await tx.query(`delete from access_request a using ${old} where a.msp_id = old.msp_id and a.login_request_id = old.id`, these);
    await tx.query(
      `delete from grant_change c using jit_grant g, ${old}
       where g.msp_id = old.msp_id and g.login_request_id = old.id and c.msp_id = g.msp_id and c.grant_id = g.id`,
      these,
    );
    await tx.query(`delete from jit_grant g using ${old} where g.msp_id = old.msp_id and g.login_request_id = old.id`, these);
    await tx.query(`delete from login_request l using ${old} where l.msp_id = old.msp_id and l.id = old.id`, these);
  }

  /** Forgets at most `limit` locks of offline logins that were told before `before`. */
  async forgetLocks(tx: SystemTx, before: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from offline_lock o using (select msp_id, device_id, id from offline_lock where taken_at < $1 order by taken_at limit $2) old
       where o.msp_id = old.msp_id and o.device_id = old.device_id and o.id = old.id returning o.id`,
      [before, limit],
    );
    return rows.length;
  }
}
