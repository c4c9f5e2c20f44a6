import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats `attempt` until it does not throw, every 10 ms at first, then less often: a failed expectation costs more than what it
 * waits for. After `timeoutMs` its last error is thrown (90 s unless told: longer than a device takes to ask by itself, after a
 * nudge that was lost).
 */
export async function eventually<T>(attempt: () => Promise<T> | T, options: { timeoutMs?: number } = {}): Promise<T> {
  const began = Date.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const waited = Date.now() - began;
      if (waited > (options.timeoutMs ?? 90_000)) throw error;
      await delay(Math.min(Math.max(10, waited / 10), 100));
    }
  }
}
