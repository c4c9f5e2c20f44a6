import { z } from 'zod';
import { deadline } from '../deadline/deadline.domain.ts';
import { reading } from '../deadline/device-clock.ts';
import { desiredState } from '../desired-state/desired-account.ts';
import { processRef } from '../processes/process-ref.ts';

/**
 * Where the agent stands with a grant on this computer. `ENABLING` and `ENDING` are written before acting: found after
 * a crash, they are done (again). `ENDED` and `FAILED` are final for their grant.
 */
const phase = z.enum(['ENABLING', 'ACTIVE', 'ENDING', 'ENDED', 'FAILED']);
export type Phase = z.infer<typeof phase>;

const endReason = z.enum(['EXPIRED', 'REVOKED', 'LOGGED_OFF', 'NOT_ACTIVATED']);
export type EndReason = z.infer<typeof endReason>;

/** What the agent did with one account, for its newest grant. */
export const accountRecord = z.object({
  accountId: z.string(),
  /** The real name and number on this computer, once known. */
  name: z.string().nullable(),
  uid: z.number().int().nullable(),
  grantId: z.string().nullable(),
  loginRequestId: z.string().nullable(),
  phase,
  /** When the phase began. */
  since: reading,
  deadline: deadline.nullable(),
  endReason: endReason.nullable(),
  /** What the system's tool said when it failed. */
  detail: z.string().nullable(),
});
export type AccountRecord = z.infer<typeof accountRecord>;

/** A report that the server has not taken yet. */
export const pendingReport = z.object({
  accountId: z.string(),
  grantId: z.string().nullable(),
  state: z.enum(['ACTIVE', 'DISABLED', 'ABSENT', 'FAILED']),
  name: z.string().nullable(),
  at: reading,
  endReason: endReason.nullable(),
  detail: z.string().nullable(),
  /** The newest revision that the agent knew then: what was seen proves nothing about a later one. */
  revision: z.number().int().nonnegative().default(0),
});
export type PendingReport = z.infer<typeof pendingReport>;

/** A login that was started at this computer and whose terminal the agent watches. */
export const localLogin = z.object({
  id: z.string(),
  method: z.enum(['QR', 'TOTP']),
  expiresAtMs: z.number(),
  startedAt: reading,
  terminal: processRef,
  session: processRef.nullable(),
  /** The terminal asked for no session: its end is not a log-off. */
  detached: z.boolean(),
});
export type LocalLogin = z.infer<typeof localLogin>;

/** All that the agent remembers over a restart. No secrets: no key, no password, no code. */
export const agentState = z.object({
  version: z.literal(1),
  desired: desiredState.nullable(),
  checkInSeconds: z.number().int().positive(),
  records: z.record(z.string(), accountRecord),
  reports: z.array(pendingReport),
  logins: z.record(z.string(), localLogin),
});
export type AgentState = z.infer<typeof agentState>;

/** The state of an agent that has never heard from the server. */
export function emptyState(): AgentState {
  return { version: 1, desired: null, checkInSeconds: 60, records: {}, reports: [], logins: {} };
}
