import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `attempt` until it does not throw, every 10 ms; after `timeoutMs` its last error is thrown (20 s unless told). */
export async function eventually<T>(attempt: () => Promise<T> | T, options: { timeoutMs?: number } = {}): Promise<T> {
  const end = Date.now() + (options.timeoutMs ?? 20_000);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(10);
    }
  }
}
