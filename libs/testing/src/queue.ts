import type { TestDatabase } from './database.ts';
import { redisIsInstalled, startTestRedis } from './redis.ts';

export type QueueBackend = 'postgres' | 'redis';

/** The queue of a service under test. */
export interface TestQueue {
  url: string;
  stop(): Promise<void>;
}

/**
 * A queue for a test: a Redis of its own where Redis is installed, because BullMQ works several times faster on it, else the
 * test's database. A test whose subject is the queue says which.
 */
export async function startTestQueue(database: TestDatabase, backend?: QueueBackend): Promise<TestQueue> {
  if ((backend ?? (redisIsInstalled() ? 'redis' : 'postgres')) === 'redis') return startTestRedis();
  return { url: database.queueUrl, stop: () => Promise.resolve() };
}
