import { Injectable } from '@nestjs/common';
import type { Payload } from '@stint/contracts';
import { addSeconds, newId, type Id } from '@stint/kernel';
import type { SystemTx, Tx } from '@stint/tenancy';
import { leaseSeconds, type PushSubscription, type TakenDelivery } from './push.domain.ts';

interface Row {
  msp_id: Id;
  tenant_id: Id;
  id: Id;
  technician_id: Id;
  endpoint: string;
  p256dh: string;
  auth: string;
  created_at: Date;
}
interface TakenRow {
  msp_id: Id;
  id: Id;
  login_request_id: Id;
  host_name: string;
  tenant_name: string;
  expires_at: Date;
  attempts: number;
  subscription_id: Id;
  endpoint: string;
  p256dh: string;
  auth: string;
}
const columns = 'msp_id, tenant_id, id, technician_id, endpoint, p256dh, auth, created_at';

/** Push subscriptions and what is on its way to them. */
@Injectable()
export class PushRepository {
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
      `insert into push_subscription (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (msp_id, id) do update set endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth
       where push_subscription.technician_id = excluded.technician_id returning id`,
      [one.mspId, one.tenantId, one.id, one.technicianId, one.endpoint, one.p256dh, one.auth, one.createdAt],
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

  async removeAllOf(tx: Tx, mspId: Id, technicianId: Id): Promise<void> {
    await tx.query('delete from push_subscription where msp_id = $1 and technician_id = $2', [mspId, technicianId]);
  }

  /** A delivery to each of the technician's browsers, due now. */
  async addDeliveries(tx: SystemTx, prompt: Payload<'login-prompted'>, now: Date): Promise<void> {
    for (const { mspId, tenantId, id } of await this.ofTechnician(tx, prompt.mspId, prompt.technicianId)) {
      await tx.query(
        `insert into push_delivery (msp_id, tenant_id, id, subscription_id, login_request_id, host_name, tenant_name, expires_at, state, due_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'PENDING', $9) on conflict do nothing`,
        [...[mspId, tenantId, newId(), id, prompt.loginRequestId], ...[prompt.hostName, prompt.tenantName, prompt.expiresAt, now]],
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
       returning d.msp_id, d.id, d.login_request_id, d.host_name, d.tenant_name, d.expires_at, d.attempts, s.id as subscription_id, s.endpoint, s.p256dh, s.auth`,
      [now, limit, addSeconds(now, leaseSeconds)],
    );
    return rows.map((row) => ({
      ...{ mspId: row.msp_id, id: row.id, loginRequestId: row.login_request_id, hostName: row.host_name, tenantName: row.tenant_name },
      ...{ expiresAt: row.expires_at, attempts: row.attempts },
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
    ...{ mspId: row.msp_id, tenantId: row.tenant_id, id: row.id, technicianId: row.technician_id },
    ...{ endpoint: row.endpoint, p256dh: row.p256dh, auth: row.auth, createdAt: row.created_at },
  };
}
