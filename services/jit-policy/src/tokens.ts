import type { Id } from '@stint/kernel';

/** Nest's token for the `Clock`. */
export const CLOCK = Symbol('clock');
/** Nest's token for a `Nudge`. */
export const NUDGE = Symbol('nudge');
/** Nest's token for a `NudgeTechnician`. */
export const NUDGE_TECHNICIAN = Symbol('nudge technician');
/** Nest's token for the address at which people reach Stint, without a slash at its end. */
export const PUBLIC_URL = Symbol('public url');

/** Nest's token for the `MessageLine`. */
export const MESSAGE_LINE = Symbol('message line');

/** Hints the device's agent that its desired state has changed. Never waits, never fails. */
export type Nudge = (deviceId: Id) => void;
/** Hints the technician's open app that something waits for them. Never waits, never fails. */
export type NudgeTechnician = (technicianId: Id) => void;
