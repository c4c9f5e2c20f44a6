import { setTimeout as delay } from 'node:timers/promises';

const pauseMs = 1_000;

/** Looks every second until it is as wanted, or the time is over; answers what was seen last. */
export async function lookUntil<Seen>(seconds: number, look: () => Promise<Seen>, asWanted: (seen: Seen) => boolean): Promise<Seen> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (asWanted(seen) || Date.now() > end) return seen;
    await delay(pauseMs);
  }
}
