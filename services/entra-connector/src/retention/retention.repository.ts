import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import type { SystemTx } from '@stint/tenancy';

/** A clock that runs ahead must not empty the evidence: this process and the database have to agree. */
const cut = 'least($1::timestamptz, now()) - make_interval(days => r.days)';

/** How long each tenant keeps the traces of access, and those whose time is over. */
@Injectable()
export class RetentionRepository {
  /** Applies the message if it is newer. */
  async save(tx: SystemTx, { mspId, tenantId, days, version }: Payload<'audit-retention-changed'>): Promise<void> {
    await tx.query(
      `insert into audit_retention (msp_id, tenant_id, id, days, version) values ($1, $2, $2, $3, $4)
       on conflict (msp_id, id) do update set days = excluded.days, version = excluded.version
       where audit_retention.version < excluded.version`,
      [mspId, tenantId, days, version],
    );
  }

  /** False while another replica is at it. */
  async begin(tx: SystemTx): Promise<boolean> {
    const [row] = await tx.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('stint entra-connector retention')) as mine`,
    );
    return row?.mine === true;
  }

  /** Removes at most `limit` old steps, whatever became of their grants: what is to be done next is never read from them. */
  async removeSteps(tx: SystemTx, now: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from entra_step s using (
         select o.msp_id, o.id from audit_retention r cross join lateral (
           select s.msp_id, s.id from entra_step s
           where s.msp_id = r.msp_id and s.tenant_id = r.id and s.began_at < ${cut} order by s.began_at limit $2) o limit $2) old
       where s.msp_id = old.msp_id and s.id = old.id returning s.id`,
      [now, limit],
    );
    return rows.length;
  }

  /** Removes at most `limit` grants that were concluded long ago. */
  async removeGrants(tx: SystemTx, now: Date, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from entra_grant g using (
         select o.msp_id, o.id from audit_retention r cross join lateral (
           select g.msp_id, g.id from entra_grant g
           where g.msp_id = r.msp_id and g.tenant_id = r.id and g.phase in ('ENDED', 'FAILED') and g.ended_at < ${cut}
           order by g.ended_at limit $2) o limit $2) old
       where g.msp_id = old.msp_id and g.id = old.id returning g.id`,
      [now, limit],
    );
    return rows.length;
  }

  /**
   * Forgets at most `limit` accounts without any grant of which nothing of ours can be in Entra: people's own, and those that are gone
   * there. Should one turn up all the same, its mark tells that it is ours, and it is taken away.
   */
  async forgetAccounts(tx: SystemTx, limit: number): Promise<number> {
    const rows = await tx.query(
      `delete from entra_account a using (
         select msp_id, id from entra_account o
         where o.due_at is null and o.lease_until is null and (o.kind = 'OWN' or (o.object_id is null and o.creating_since is null))
           and not exists (select from entra_grant g where g.msp_id = o.msp_id and g.account_id = o.id)
         limit $1 for update skip locked) old
       where a.msp_id = old.msp_id and a.id = old.id returning a.id`,
      [limit],
    );
    return rows.length;
  }
}
