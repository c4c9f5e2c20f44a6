import { Injectable } from '@nestjs/common';
import type { Actor, Payload } from '@stint/contracts';
import { addSeconds, newId, type Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { leaseSeconds, type PushSubscription, type TakenDelivery } from './push.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  session_id: Id;
  endpoint: string;
  p256dh: string;
  auth: string;
  created_at: Date;
}
interface TakenRow {
  msp_id: Id;
  id: Id;
  login_request_id: Id;
  expires_at: Date;
  attempts: number;
  subscription_id: Id;
  endpoint: string;
  p256dh: string;
  auth: string;
}
const columns = 'msp_id, tenant_id, id, technician_id, session_id, endpoint, p256dh, auth, created_at';

/** Push subscriptions and what is on its way to them. */
@Injectable()
export class PushRepository {
  /** Locks a session of an active technician against its end, and the technician for their other changes to subscriptions; false when there is none. */
  async holdSession(tx: TenantTx, self: Actor, sessionId: Id, now: Date): Promise<boolean> {
    const people = await tx.query('select id from technician where msp_id = $1 and id = $2 and active for no key update', [
      self.mspId,
      self.id,
    ]);
    const sessions = await tx.query(
      'select id from sign_in_session where msp_id = $1 and id = $2 and technician_id = $3 and expires_at > $4 for key share',
      [self.mspId, sessionId, self.id, now],
    );
    return people.length > 0 && sessions.length > 0;
  }

  /** Of the technician, oldest first. */
  async ofTechnician(tx: Tx, mspId: Id, technicianId: Id): Promise<PushSubscription[]> {
    const rows = await tx.query<Row>(`select ${columns} from push_subscription where msp_id = $1 and technician_id = $2 order by id`, [
      mspId,
      technicianId,
    ]);
    return rows.map(asSubscription);
  }

  /** Adds the subscription, or gives it the browser's new keys; false when its id is somebody else's, or its endpoint has another id. */
  async save(tx: Tx, one: PushSubscription): Promise<boolean> {
    const rows = await tx.query(
      `insert into push_subscription (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (msp_id, id) do update set session_id = excluded.session_id, endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth
       where push_subscription.technician_id = excluded.technician_id returning id`,
      [one.mspId, one.tenantId, one.id, one.technicianId, one.sessionId, one.endpoint, one.p256dh, one.auth, one.createdAt],
    );
    return rows.length === 1;
  }

  /** Removes one of the technician's; false when there is none. */
  async remove(tx: Tx, mspId: Id, technicianId: Id, id: Id): Promise<boolean> {
    const rows = await tx.query('delete from push_subscription where msp_id = $1 and technician_id = $2 and id = $3 returning id', [
      mspId,
      technicianId,
      id,
    ]);
    return rows.length === 1;
  }

  /** A delivery to each browser in which the technician is signed in, due now. */
  async addDeliveries(
    tx: SystemTx,
    { mspId, technicianId, loginRequestId, expiresAt }: Payload<'login-prompted'>,
    now: Date,
  ): Promise<void> {
    const browsers = await tx.query<{ id: Id; tenant_id: Id }>(
      `select p.id, p.tenant_id from push_subscription p join sign_in_session s on s.msp_id = p.msp_id and s.id = p.session_id
       where p.msp_id = $1 and p.technician_id = $2 and s.expires_at > $3 order by p.id`,
      [mspId, technicianId, now],
    );
    for (const { id, tenant_id: tenantId } of browsers) {
      await tx.query(
        `insert into push_delivery (msp_id, tenant_id, id, subscription_id, login_request_id, expires_at, state, due_at)
         values ($1, $2, $3, $4, $5, $6, 'PENDING', $7) on conflict do nothing`,
        [mspId, tenantId, newId(), id, loginRequestId, expiresAt, now],
      );
    }
  }

  /** Takes due deliveries that nobody else has, and that can still arrive in time, for as long as the lease lasts. */
  async take(tx: SystemTx, now: Date, limit: number): Promise<TakenDelivery[]> {
    const rows = await tx.query<TakenRow>(
      `with due as (select msp_id, id from push_delivery where state = 'PENDING' and due_at <= $1 and expires_at > $1
         order by due_at limit $2 for update skip locked)
       update push_delivery d set attempts = attempts + 1, due_at = $3 from due, push_subscription s
       where d.msp_id = due.msp_id and d.id = due.id and s.msp_id = d.msp_id and s.id = d.subscription_id
       returning d.msp_id, d.id, d.login_request_id, d.expires_at, d.attempts, s.id as subscription_id, s.endpoint, s.p256dh, s.auth`,
      [now, limit, addSeconds(now, leaseSeconds)],
    );
    return rows.map((row) => ({
      ...{ mspId: row.msp_id, id: row.id, loginRequestId: row.login_request_id, expiresAt: row.expires_at, attempts: row.attempts },
      subscription: { id: row.subscription_id, endpoint: row.endpoint, p256dh: row.p256dh, auth: row.auth },
    }));
  }

  /** Records what became of an attempt; nothing when another one was begun meanwhile. */
  async record(
    tx: SystemTx,
    delivery: TakenDelivery,
    after: { state: 'SENT' | 'FAILED' | 'PENDING'; dueAt?: Date },
    result: string,
  ): Promise<void> {
    await tx.query(
      `update push_delivery set state = $4, result = $5, due_at = coalesce($6, due_at)
       where msp_id = $1 and id = $2 and attempts = $3 and state = 'PENDING'`,
      [delivery.mspId, delivery.id, delivery.attempts, after.state, result, after.dueAt ?? null],
    );
  }

  /** The push service knows the subscription no more, as long as it still has this endpoint. */
  async removeGone(tx: SystemTx, mspId: Id, { id, endpoint }: TakenDelivery['subscription']): Promise<PushSubscription | null> {
    const [row] = await tx.query<Row>(
      `delete from push_subscription where msp_id = $1 and id = $2 and endpoint = $3 returning ${columns}`,
      [mspId, id, endpoint],
    );
    return row === undefined ? null : asSubscription(row);
  }

  /** Forgets deliveries whose time is long over. */
  async forget(tx: SystemTx, before: Date): Promise<number> {
    const rows = await tx.query(
      `delete from push_delivery where (msp_id, id) in (select msp_id, id from push_delivery where expires_at < $1 limit 500) returning id`,
      [before],
    );
    return rows.length;
  }
}

function asSubscription(row: Row): PushSubscription {
  return {
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, technicianId: row.technician_id, sessionId: row.session_id },
    ...{ endpoint: row.endpoint, p256dh: row.p256dh, auth: row.auth, createdAt: row.created_at },
  };
}
