import { readFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * What the computer's clocks show at one moment. `wallMs` may jump; `bootMs` counts from the start of the system,
 * suspend included (CLOCK_BOOTTIME), and never goes back, but compares only within one `bootId`.
 */
export const reading = z.object({ wallMs: z.number(), bootId: z.string().min(1), bootMs: z.number().nonnegative() });
export type Reading = z.infer<typeof reading>;

/** Where the agent's time comes from. */
export interface DeviceClock {
  read(): Reading;
}

// node's hrtime is CLOCK_MONOTONIC, which stands still during suspend; the first number of /proc/uptime is CLOCK_BOOTTIME in seconds.
/** The clocks of the running Linux system. */
export const linuxClock: DeviceClock = {
  read: () => ({
    wallMs: Date.now(),
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    bootMs: Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000),
  }),
};
