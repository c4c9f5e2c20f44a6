import type { KeyObject } from 'node:crypto';
import type { Queue } from 'bullmq';
import { serviceNames, type ServiceName } from '@stint/contracts';
import type { Tenancy } from '@stint/tenancy';
import { outboxHint } from './emit.ts';
import { signEnvelope } from './envelope.ts';
import type { MessagingLog } from './messaging.ts';

const batchSize = 500;
const pollMs = 1_000;

interface OutboxRow {
  id: string;
  target: ServiceName;
  type: string;
  version: number;
  payload: unknown;
}

/**
 * Publishes the outbox. A row is claimed by pushing its due time back (30 s, doubling to 10 min), then published; it
 * leaves the outbox only when its consumer acknowledges it. Whatever is lost on the way, the queue's whole content
 * included, is thereby published again; the consumer's inbox makes that harmless.
 */
export class Relay {
  readonly #service: ServiceName;
  readonly #tenancy: Tenancy;
  readonly #queues: ReadonlyMap<ServiceName, Queue>;
  readonly #key: KeyObject;
  readonly #log: MessagingLog;
  readonly #hint = () => this.#wake();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: {
    service: ServiceName;
    tenancy: Tenancy;
    queues: ReadonlyMap<ServiceName, Queue>;
    key: KeyObject;
    log: MessagingLog;
  }) {
    this.#service = options.service;
    this.#tenancy = options.tenancy;
    this.#queues = options.queues;
    this.#key = options.key;
    this.#log = options.log;
  }

  /** Takes up what an earlier process claimed and perhaps never published, and then whatever comes. */
  async start(): Promise<void> {
    await this.#tenancy.asSystem((tx) => tx.query('update outbox set due_at = now() where due_at > now()'));
    outboxHint.on('written', this.#hint);
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    outboxHint.off('written', this.#hint);
    clearTimeout(this.#timer);
    await this.#running;
  }

  #wake(): void {
    this.#again = true;
    if (this.#running !== undefined || this.#closed) return;
    clearTimeout(this.#timer);
    this.#running = this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#closed) return;
      if (this.#again) this.#wake();
      else this.#timer = setTimeout(this.#hint, pollMs);
    });
  }

  async #drain(): Promise<void> {
    try {
      let published: number;
      do {
        this.#again = false;
        published = await this.#publishBatch();
      } while (published === batchSize && !this.#closed);
    } catch (error) {
      this.#again = false;
      this.#log.error({ err: error }, 'messages could not be published; trying again');
    }
  }

  async #publishBatch(): Promise<number> {
    const rows = await this.#tenancy.asSystem((tx) =>
      tx.query<OutboxRow>(
        `update outbox o set attempts = attempts + 1, due_at = now() + least(interval '30 seconds' * power(2, least(attempts, 10)), interval '10 minutes')
         from (select id, target from outbox where due_at <= now() order by due_at, id limit $1 for update skip locked) due
         where o.id = due.id and o.target = due.target
         returning o.id, o.target, o.type, o.version, o.payload`,
        [batchSize],
      ),
    );
    for (const target of serviceNames) {
      const batch = rows.filter((row) => row.target === target);
      if (batch.length > 0) await this.#publish(target, batch);
    }
    return rows.length;
  }

  async #publish(target: ServiceName, rows: readonly OutboxRow[]): Promise<void> {
    const queue = this.#queues.get(target);
    if (queue === undefined) throw new Error(`No queue for ${target}.`);
    const jobs = rows
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ id, type, version, payload }) => ({
        name: 'message',
        data: signEnvelope(this.#key, { id, type, version, from: this.#service, to: target, payload }),
        opts: { jobId: id, attempts: 8, backoff: { type: 'exponential', delay: 100 }, removeOnComplete: true, removeOnFail: true },
      }));
    try {
      await queue.addBulk(jobs);
    } catch (error) {
      const ids = rows.map((row) => row.id);
      await this.#tenancy.asSystem((tx) =>
        tx.query(`update outbox set due_at = now() + interval '1 second' where target = $1 and id = any($2)`, [target, ids]),
      );
      throw error;
    }
  }
}
