/** Nest's token for the `Clock`. */
export const CLOCK = Symbol('clock');
/** Nest's token for the `KeyProvider` that wraps what opens doors in Entra. */
export const KEYS = Symbol('keys');
/** Nest's token for the service's log. */
export const LOG = Symbol('log');
/** Nest's token for the `MessageLine`. */
export const MESSAGE_LINE = Symbol('message line');

/** How sweeps tell what nobody asked for. */
export interface SweepLog {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
/** Nest's token for `GraphSettings`. */
export const GRAPH_SETTINGS = Symbol('graph settings');

/** Where Microsoft and Stint itself are. */
export interface GraphSettings {
  /** Instead of Microsoft's clouds. */
  emulatorUrl: string | undefined;
  /** Where people reach Stint. */
  publicUrl: string;
}
