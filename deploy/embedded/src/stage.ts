import { setTimeout as delay } from 'node:timers/promises';

// How the demo tells what it does, and looks at what it was promised.

export const say = (line = '') => void process.stdout.write(`${line}\n`);
export const step = (line: string) => say(`\n▸ ${line}`);
export const seen = (line: string) => say(`  ✓ ${line}`);

/** Says what holds; the first thing that does not ends the demo. */
export function expect(held: boolean, what: string): void {
  if (!held) throw new Error(`Not so: ${what}.`);
  seen(what);
}

/** Waits for what must come by itself; answers it. */
export async function until<Value>(what: string, look: () => Promise<Value> | Value, withinMs = 15_000): Promise<NonNullable<Value>> {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await look();
    if (value !== false && value != null) return value;
    if (Date.now() > end) throw new Error(`Waited ${withinMs / 1000} s in vain for ${what}.`);
    await delay(50);
  }
}
