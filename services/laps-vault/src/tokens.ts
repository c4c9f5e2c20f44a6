import type { Id } from '@stint/kernel';

/** Nest's token for the `Clock`. */
export const CLOCK = Symbol('clock');
/** Nest's token for the `KeyProvider` that wraps the private halves of vault keys. */
export const KEYS = Symbol('keys');
/** Nest's token for the `SweepLog`. */
export const LOG = Symbol('log');
/** Nest's token for a `Nudge`. */
export const NUDGE = Symbol('nudge');
/** Nest's token for the `MessageLine`. */
export const MESSAGE_LINE = Symbol('message line');

/** What sweeps need of a logger (pino's shape). */
export interface SweepLog {
  error(fields: object, message: string): void;
}

/** Hints the device's agent that there is something to ask for. Never waits, never fails. */
export type Nudge = (deviceId: Id) => void;
