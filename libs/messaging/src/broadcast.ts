import { Redis } from 'ioredis';
import { Client } from 'pg';
import { isPostgres } from './queues.ts';

/** A hint to whoever listens now; nothing is kept for those who do not. */
export interface Broadcast {
  publish(topic: Topic, body: string): void;
  /** Answers a function that ends the subscription. */
  subscribe(topic: Topic, listener: (body: string) => void): () => void;
  close(): Promise<void>;
}

/**
 * `device-nudge`: the desired state of the device with this id has changed. `technician-nudge`: something waits for the
 * technician with this id. `credential-revoked`: tokens of the subject with this id (or of `session:<id>`), issued before,
 * are good no more.
 */
export type Topic = 'device-nudge' | 'technician-nudge' | 'credential-revoked';

/** Connects to the broadcasts of a `QUEUE_URL`: Redis pub/sub, or PostgreSQL NOTIFY. Reconnects by itself; never throws later. */
export async function connectBroadcast(queueUrl: string, onError: (error: Error) => void): Promise<Broadcast> {
  const broadcast = isPostgres(queueUrl) ? new PostgresBroadcast(queueUrl, onError) : new RedisBroadcast(queueUrl, onError);
  await broadcast.connect();
  return broadcast;
}

const channel = 'stint_broadcast';

class Listeners {
  readonly #byTopic = new Map<string, Set<(body: string) => void>>();

  add(topic: Topic, listener: (body: string) => void): () => void {
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** `text` is `topic body`. */
  tell(text: string): void {
    const space = text.indexOf(' ');
    for (const listener of this.#byTopic.get(text.slice(0, space)) ?? []) listener(text.slice(space + 1));
  }
}

class RedisBroadcast implements Broadcast {
  readonly #listeners = new Listeners();
  readonly #publisher: Redis;
  readonly #subscriber: Redis;

  constructor(url: string, onError: (error: Error) => void) {
    const options = {
      lazyConnect: true,
      maxRetriesPerRequest: 1,
      enableOfflineQueue: false,
      retryStrategy: (times: number) => Math.min(times * 50, 1_000),
    };
    this.#publisher = new Redis(url, options).on('error', onError);
    this.#subscriber = new Redis(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null }).on('error', onError);
  }

  async connect(): Promise<void> {
    await Promise.all([this.#publisher.connect(), this.#subscriber.connect()]);
    this.#subscriber.on('message', (_channel: string, text: string) => this.#listeners.tell(text));
    await this.#subscriber.subscribe(channel);
  }

  publish(topic: Topic, body: string): void {
    this.#publisher.publish(channel, `${topic} ${body}`).catch(() => undefined); // a hint
  }

  subscribe(topic: Topic, listener: (body: string) => void): () => void {
    return this.#listeners.add(topic, listener);
  }

  close(): Promise<void> {
    this.#publisher.disconnect();
    this.#subscriber.disconnect();
    return Promise.resolve();
  }
}

class PostgresBroadcast implements Broadcast {
  readonly #listeners = new Listeners();
  readonly #url: string;
  readonly #onError: (error: Error) => void;
  #client: Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #sending: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(url: string, onError: (error: Error) => void) {
    this.#url = url;
    this.#onError = onError;
  }

  async connect(): Promise<void> {
    const client = new Client({ connectionString: this.#url, keepAlive: true, application_name: 'stint-broadcast' });
    client.on('error', this.#onError);
    client.on('notification', ({ payload }) => this.#listeners.tell(payload ?? ''));
    client.on('end', () => this.#lost(client));
    await client.connect();
    await client.query(`listen ${channel}`);
    this.#client = client;
  }

  publish(topic: Topic, body: string): void {
    // One after the other: a client of pg takes one query at a time.
    this.#sending = this.#sending
      .then(() => this.#client?.query('select pg_notify($1, $2)', [channel, `${topic} ${body}`]))
      .catch(() => undefined); // a hint
  }

  subscribe(topic: Topic, listener: (body: string) => void): () => void {
    return this.#listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#sending;
    await this.#client?.end();
  }

  #lost(client: Client): void {
    if (this.#client === client) this.#client = undefined;
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.connect().catch((error: unknown) => {
        this.#onError(error as Error);
        this.#lost(client);
      });
    }, 500);
  }
}
