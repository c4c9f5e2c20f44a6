import type { Clock } from '@stint/kernel';
import { addSeconds } from '@stint/kernel';
import { audit, type Handlers, type MessagingLog, type Sweep } from '@stint/messaging';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import type { PushClient } from './push.client.ts';
import { outcomeOf, type TakenDelivery } from './push.domain.ts';
import { PushRepository } from './push.repository.ts';

const mostAtOnce = 20;
const keptSeconds = 86_400;
const deliveries = new PushRepository();

/** A technician is asked: a push message to each of their browsers. */
export function pushHandlers(clock: Clock): Pick<Handlers, 'login-prompted'> {
  return { 'login-prompted': (tx, prompt) => deliveries.addDeliveries(tx, prompt, clock.now()) };
}

/**
 * Sends push messages. The sweep only takes them, for a lease; they are sent after its commit, outside of any transaction, and
 * the result is recorded in one of its own. Who dies in between leaves a lease that runs out, and the message is sent again:
 * its topic and tag make one notification of the two.
 */
export class PushSweep implements Sweep {
  readonly name = 'push messages';
  readonly everyMs = 500;
  readonly #tenancy: Tenancy;
  readonly #client: PushClient;
  readonly #clock: Clock;
  readonly #log: MessagingLog;
  readonly #stop = new AbortController();
  readonly #sending = new Set<Promise<void>>();

  constructor(tenancy: Tenancy, client: PushClient, clock: Clock, log: MessagingLog) {
    this.#tenancy = tenancy;
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
  }

  async run(tx: SystemTx, now: Date): Promise<number> {
    const room = mostAtOnce - this.#sending.size;
    if (room <= 0 || this.#stop.signal.aborted) return 0;
    const taken = await deliveries.take(tx, now, room);
    tx.afterCommit(() => {
      for (const delivery of taken) this.#begin(delivery);
    });
    return taken.length;
  }

  /** Lets go of what is under way; whoever runs next sends it again. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending);
  }

  #begin(delivery: TakenDelivery): void {
    const sending = this.#send(delivery)
      .catch((error: unknown) => this.#log.error({ err: error, deliveryId: delivery.id }, 'a push message failed; it will be sent again'))
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send(delivery: TakenDelivery): Promise<void> {
    const answer = await this.#client.send(delivery, this.#clock.now(), this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    const now = this.#clock.now();
    const outcome = outcomeOf(delivery, answer, now);
    await this.#tenancy.asSystem(async (tx) => {
      if (outcome.state !== 'GONE') return deliveries.record(tx, delivery, outcome, answer.why);
      const gone = await deliveries.removeGone(tx, delivery.mspId, delivery.subscription);
      if (gone === null) return;
      await audit(tx, {
        ...{
          action: 'push-subscription.removed',
          subjectId: gone.technicianId,
          occurredAt: now,
          mspId: gone.mspId,
          tenantId: gone.tenantId,
        },
        ...{ actor: null, details: { pushSubscriptionId: gone.id, why: 'gone' } },
      });
    });
  }
}

/** Forgets push messages a day after their time. */
export const pushForgetSweep: Sweep = {
  name: 'old push messages',
  everyMs: 60_000,
  run: (tx, now) => deliveries.forget(tx, addSeconds(now, -keptSeconds)),
};
