import { createPostgresBackend, Queue, runMigrations, Worker, type Processor, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { Client } from 'pg';

/** The schema in which BullMQ keeps its tables when the queue is PostgreSQL. */
const postgresSchema = 'queue';
/** Whether a `QUEUE_URL` names PostgreSQL; Redis otherwise. */
export const isPostgres = (url: string) => /^postgres(ql)?:/.test(url);
const queueName = (service: string) => `stint-${service}`;

/**
 * Makes BullMQ's tables, or brings them up to date, where the queue is PostgreSQL; several processes may do so at once. It is
 * done once, before anything is opened: each queue and worker would do it by itself, one behind the other.
 */
export async function prepareQueue(url: string): Promise<void> {
  if (!isPostgres(url)) return;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A connection that is lost fails the statement under way; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await runMigrations(client, postgresSchema);
  } finally {
    await client.end();
  }
}

/** BullMQ's queues and workers on the backend that a `QUEUE_URL` names: `redis://…`, `rediss://…` or `postgres://…`. */
export class Queues {
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  readonly #queues: Queue[] = [];
  readonly #workers: Worker[] = [];
  readonly #redis: Redis[] = [];

  constructor(url: string, onError: (error: Error) => void) {
    this.#url = url;
    this.#onError = onError;
  }

  /** The queue of a service, to add to. Fails fast when the backend is away: the outbox tries again. */
  queue(service: string): Queue {
    // The type of a BullMQ object names its backend; what we use of it is the same on both.
    const queue = isPostgres(this.#url)
      ? (new Queue(queueName(service), { connection: this.#postgres(2) }, createPostgresBackend) as unknown as Queue)
      : new Queue(queueName(service), {
          connection: this.#connect({ maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: 5_000 }),
        });
    queue.on('error', this.#onError);
    this.#queues.push(queue);
    return queue;
  }

  /** The worker of a service. Waits for Redis for ever; on PostgreSQL it works once `ready` has been awaited. */
  worker(service: string, processor: Processor, options: Omit<WorkerOptions, 'connection'>): Worker {
    const worker = isPostgres(this.#url)
      ? (new Worker(
          queueName(service),
          processor,
          { ...options, autorun: false, connection: this.#postgres(options.concurrency ?? 1) },
          createPostgresBackend,
        ) as unknown as Worker)
      : new Worker(queueName(service), processor, { ...options, connection: this.#connect({ maxRetriesPerRequest: null }) });
    worker.on('error', this.#onError);
    this.#workers.push(worker);
    return worker;
  }

  /**
   * On PostgreSQL: waits until everything is connected, then lets the workers work; throws when one cannot connect. BullMQ
   * remembers a first connection that failed for ever: a queue would never send again, and a worker would ask without a pause.
   */
  async ready(): Promise<void> {
    if (!isPostgres(this.#url)) return;
    await Promise.all([...this.#queues, ...this.#workers].map((one) => one.waitUntilReady()));
    for (const worker of this.#workers) worker.run().catch(this.#onError);
  }

  /** Workers first, which lets their handlers end; then what those still have to send; then the queues. */
  async close(beforeQueues: () => Promise<void>): Promise<void> {
    for (const worker of this.#workers) await worker.close();
    await beforeQueues();
    for (const queue of this.#queues) await queue.close();
    for (const connection of this.#redis) connection.disconnect();
  }

  #postgres(max: number) {
    return { connectionString: this.#url, schema: postgresSchema, max: Math.max(2, max) };
  }

  #connect(options: { maxRetriesPerRequest: number | null; enableOfflineQueue?: boolean; commandTimeout?: number }): Redis {
    const connection = new Redis(this.#url, { ...options, retryStrategy: (times) => Math.min(times * 50, 1_000) });
    connection.on('error', this.#onError);
    this.#redis.push(connection);
    return connection;
  }
}
