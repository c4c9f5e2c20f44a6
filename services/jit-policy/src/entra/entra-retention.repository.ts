import type { Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';

/** Access in Entra whose time to be kept is over. */
export class EntraRetentionRepository {
  /** False while another replica is at it. */
  async begin(tx: SystemTx): Promise<boolean> {
    const [row] = await tx.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(hashtext('stint entra retention')) as mine`);
    return row?.mine === true;
  }

  /**
   * At most `limit` ids of grants, and of requests that no grant came of, that are over for longer than their tenant's audit
   * events are kept; of tenants whose retention is known.
   */
  async old(tx: SystemTx, now: Date, limit: number): Promise<{ mspId: Id; id: Id }[]> {
    return tx.query(
      `select old.msp_id as "mspId", old.id from audit_retention_told r cross join lateral (
         (select g.msp_id, g.id from jit_grant g
          where g.msp_id = r.msp_id and g.tenant_id = r.id and g.target = 'ENTRA'
            and g.approved_at < $1::timestamptz - make_interval(days => r.days)
            and g.state in ('ENDED', 'FAILED') and greatest(g.approved_at, g.ended_at) < $1::timestamptz - make_interval(days => r.days)
          order by g.approved_at limit $2)
         union all (select a.msp_id, a.id from access_request a
          where a.msp_id = r.msp_id and a.tenant_id = r.id and a.target = 'ENTRA'
            and a.requested_at < $1::timestamptz - make_interval(days => r.days) and a.ended_at < $1::timestamptz - make_interval(days => r.days)
            and not exists (select from jit_grant g where g.msp_id = a.msp_id and g.id = a.id)
          order by a.requested_at limit $2)) old limit $2`,
      [now, limit],
    );
  }

  /** Removes grants and requests with these ids, with the approvals and changes of them. */
  async remove(tx: SystemTx, accesses: readonly { mspId: Id; id: Id }[]): Promise<void> {
    const these = [accesses.map(({ mspId }) => mspId), accesses.map(({ id }) => id)];
    const old = 'unnest($1::uuid[], $2::uuid[]) as old(msp_id, id)';
    await tx.query(`delete from access_approval p using ${old} where p.msp_id = old.msp_id and p.access_request_id = old.id`, these);
    await tx.query(`delete from access_request a using ${old} where a.msp_id = old.msp_id and a.id = old.id and a.target = 'ENTRA'`, these);
    await tx.query(`delete from grant_change c using ${old} where c.msp_id = old.msp_id and c.grant_id = old.id`, these);
    await tx.query(`delete from jit_grant g using ${old} where g.msp_id = old.msp_id and g.id = old.id and g.target = 'ENTRA'`, these);
  }
}
