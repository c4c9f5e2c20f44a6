import type { KeyObject } from 'node:crypto';
import type { Queue } from 'bullmq';
import { messages, messagesTo, serviceNames, type MessageType, type ServiceName } from '@stint/contracts';
import type { Clock } from '@stint/kernel';
import type { Tenancy } from '@stint/tenancy';
import { Consumer, type Handlers } from './consumer.ts';
import type { PublicKeys } from './envelope.ts';
import { prepareQueue, Queues } from './queues.ts';
import { Relay } from './relay.ts';
import { Sweeper, type SlowSweep, type Sweep } from './sweeper.ts';

/** What messaging needs of a logger (pino's shape). */
export interface MessagingLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface MessagingOptions {
  service: ServiceName;
  tenancy: Tenancy;
  /** `redis://…` or `postgres://…`. */
  queueUrl: string;
  /** Signs this service's messages (Ed25519). */
  signingKey: KeyObject;
  publicKeys: PublicKeys;
  /** One for each message type that is routed to this service, and no other. */
  handlers: Handlers;
  sweeps: readonly (Sweep | SlowSweep)[];
  log: MessagingLog;
  clock: Clock;
}

const concurrency = 8;
// A job that a killed consumer had in hand is taken up again after 10 to 15 s (BullMQ's own values make it 30 to 60), and
// as often as it takes: our handlers are short transactions, and the inbox makes a second run harmless.
const afterCrash = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 100 };
const inboxDays = 30;

/** A service's end of everything between services: relay, consumer, sweeper. */
export class Messaging {
  readonly #tenancy: Tenancy;
  readonly #queues: Queues;
  readonly #relay: Relay;
  readonly #consumer: Consumer;
  readonly #sweeper: Sweeper;

  private constructor(options: MessagingOptions) {
    const { service, tenancy, log, clock, signingKey: key, publicKeys, handlers } = options;
    this.#tenancy = tenancy;
    this.#queues = new Queues(options.queueUrl, (error) => log.warn({ err: error }, 'the queue is away'));
    const queues = new Map<ServiceName, Queue>(serviceNames.map((name) => [name, this.#queues.queue(name)]));
    this.#relay = new Relay({ service, tenancy, queues, key, log });
    this.#consumer = new Consumer({ service, tenancy, handlers, queues, key, publicKeys, log });
    this.#sweeper = new Sweeper({ tenancy, clock, log });
  }

  /** Starts it; fails when a message that is routed here has no handler, or a handler's message is not routed here. */
  static async start(options: MessagingOptions): Promise<Messaging> {
    assertComplete(options.service, options.handlers);
    await prepareQueue(options.queueUrl);
    const messaging = new Messaging(options);
    try {
      messaging.#queues.worker(options.service, messaging.#consumer.process, { concurrency, ...afterCrash });
      await messaging.#queues.ready();
      await messaging.#relay.start();
      messaging.#sweeper.start([...options.sweeps, forgetInbox]);
      return messaging;
    } catch (error) {
      await messaging.close();
      throw error;
    }
  }

  /** True when every message of this service has had its effect everywhere. */
  async drained(): Promise<boolean> {
    const rows = await this.#tenancy.asSystem((tx) => tx.query('select 1 from outbox limit 1'));
    return rows.length === 0;
  }

  /** Messages that are published again and again without an acknowledgement: something is wrong with their consumer. */
  async stuck(): Promise<{ id: string; type: string; target: string; attempts: number }[]> {
    return this.#tenancy.asSystem((tx) =>
      tx.query('select id, type, target, attempts from outbox where attempts >= 4 order by id limit 100'),
    );
  }

  /** Lets the running handlers end, then closes. */
  async close(): Promise<void> {
    await this.#sweeper.close();
    await this.#relay.close();
    await this.#queues.close(() => this.#consumer.close());
  }
}

/** Stops the start of a service whose handlers and routing do not fit. */
export function assertComplete(service: ServiceName, handlers: Handlers): void {
  const routed = messagesTo(service);
  const missing = routed.filter((type) => handlers[type] === undefined);
  const surplus = (Object.keys(handlers) as MessageType[]).filter((type) => !(type in messages) || !routed.includes(type));
  if (missing.length > 0) throw new Error(`${service} gets ${missing.join(', ')} but has no handler for it.`);
  if (surplus.length > 0) throw new Error(`${service} handles ${surplus.join(', ')}, which contracts do not route to it.`);
}

// Longer than any message can travel: after this its id need not be remembered.
const forgetInbox: Sweep = {
  name: 'forget old inbox rows',
  everyMs: 3_600_000,
  run: async (tx) =>
    (
      await tx.query(
        `delete from inbox where message_id in (select message_id from inbox where received_at < now() - $1 * interval '1 day' limit 1000) returning 1`,
        [inboxDays],
      )
    ).length,
};
