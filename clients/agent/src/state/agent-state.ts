import { z } from 'zod';
import { deadline } from '../deadline/deadline.domain.ts';
import { reading } from '../deadline/device-clock.ts';
import { desiredState } from '../desired-state/desired-account.ts';
import { privilegedChange, privilegedSnapshot } from '../privileged/privileged.domain.ts';
import { processRef } from '../processes/process-ref.ts';

/**
 * Where the agent stands with a grant on this computer. `ENABLING` and `ENDING` are written before acting: found after
 * a crash, they are done (again). `ENDED` and `FAILED` are final for their grant.
 */
const phase = z.enum(['ENABLING', 'ACTIVE', 'ENDING', 'ENDED', 'FAILED']);
export type Phase = z.infer<typeof phase>;

export const endReason = z.enum(['EXPIRED', 'REVOKED', 'LOGGED_OFF', 'NOT_ACTIVATED', 'IDLE']);
export type EndReason = z.infer<typeof endReason>;

/** What the agent did for one grant of an account. */
export const grantRecord = z.object({
  grantId: z.string(),
  loginRequestId: z.string().nullable(),
  phase,
  /** When the phase began. */
  since: reading,
  deadline: deadline.nullable(),
  endReason: endReason.nullable(),
  /** What the system's tool said when the account could not be enabled for this grant: it failed then. */
  detail: z.string().nullable(),
  /** Began here without the server, by an offline code; null once the server lists it, or has had its say. */
  offline: z.object({ technicianId: z.string(), reportedAtRevision: z.number().int().nullable() }).nullable(),
  idleEndSeconds: z.number().int().positive().nullable(),
  warnSeconds: z.number().int().nonnegative(),
  /** Who was privileged when the session began. */
  privilegedBefore: privilegedSnapshot.nullable(),
  /** What changed until its end; written before new members are removed. */
  privileged: z.array(privilegedChange).nullable(),
});
export type GrantRecord = z.infer<typeof grantRecord>;

/** What the agent knows of one account: its real name and number on this computer, once known, and its grants. */
export const accountRecord = z.object({
  accountId: z.string(),
  name: z.string().nullable(),
  uid: z.number().int().nullable(),
  /** What to make it like when the server lists it not: an account that only offline logins have used so far. */
  wanted: z.object({ name: z.string(), displayName: z.string() }).nullable(),
  grants: z.record(z.string(), grantRecord),
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
  privileged: z.array(privilegedChange).default([]),
  /** The newest revision that the agent knew then: what was seen proves nothing about a later one. */
  revision: z.number().int().nonnegative().default(0),
});
export type PendingReport = z.infer<typeof pendingReport>;

/** A login that was started at this computer and whose terminal the agent watches. */
export const localLogin = z.object({
  id: z.string(),
  method: z.enum(['QR', 'TOTP', 'PUSH', 'OFFLINE']),
  expiresAtMs: z.number(),
  startedAt: reading,
  terminal: processRef,
  /** The first process of each session that was opened for it. */
  sessions: z.array(processRef),
  /** The terminal asked for no session: its end is not a log-off. */
  detached: z.boolean(),
});
export type LocalLogin = z.infer<typeof localLogin>;

/** An offline login that the server has not heard of yet. */
export const offlineLogin = z.object({
  id: z.string(),
  technicianId: z.string(),
  accountId: z.string(),
  grantId: z.string(),
  at: reading,
  sessionSeconds: z.number().int().positive(),
  reason: z.string().nullable(),
  ticket: z.string().nullable(),
});
export type OfflineLogin = z.infer<typeof offlineLogin>;

/** All that the agent remembers over a restart. No secrets: no key, no password, no code. */
export const agentState = z.object({
  version: z.literal(2),
  desired: desiredState.nullable(),
  checkInSeconds: z.number().int().positive(),
  records: z.record(z.string(), accountRecord),
  reports: z.array(pendingReport),
  logins: z.record(z.string(), localLogin),
  offlineLogins: z.array(offlineLogin),
  /** The accounts with Stint's mark that belong to nobody, as the server was last told. */
  strays: z.array(z.object({ accountId: z.string(), name: z.string() })),
});
export type AgentState = z.infer<typeof agentState>;

/** The state of an agent that has never heard from the server. */
export function emptyState(): AgentState {
  return { version: 2, desired: null, checkInSeconds: 60, records: {}, reports: [], logins: {}, offlineLogins: [], strays: [] };
}
