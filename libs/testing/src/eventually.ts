import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats `attempt` until it does not throw, every 10 ms; after `timeoutMs` its last error is thrown (45 s unless told:
 * longer than a device takes to ask by itself, after a nudge that was lost).
 */
export async function eventually<T>(attempt: () => Promise<T> | T, options: { timeoutMs?: number } = {}): Promise<T> {
  const end = Date.now() + (options.timeoutMs ?? 45_000);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(10);
    }
  }
}
