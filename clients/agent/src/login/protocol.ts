import { z } from 'zod';

// One JSON object per line in both directions, over a Unix socket that only the agent's own user can open.

const email = z.string().trim().min(3).max(254);

const said = z
  .string()
  .trim()
  .max(200)
  .transform((text) => text || null)
  .nullable();

/** What a terminal may ask of the agent. */
export const terminalRequest = z.discriminatedUnion('op', [
  /** Starts a login. `detached`: no session will be opened by this terminal. */
  z.object({
    op: z.literal('login'),
    method: z.enum(['QR', 'TOTP', 'PUSH', 'OFFLINE']),
    /** Whom to ask; only for PUSH, and needed there. */
    email: email.optional(),
    pid: z.number().int().positive(),
    detached: z.boolean(),
  }),
  /** Takes up a login again after the agent was restarted. */
  z.object({ op: z.literal('attach'), id: z.string() }),
  z.object({ op: z.literal('code'), email, code: z.string().max(16) }),
  z.object({ op: z.literal('reason'), reason: said, ticket: said }),
  z.object({ op: z.literal('cancel') }),
  /** The first process of a session of this login; the access ends with the last of them. */
  z.object({ op: z.literal('session'), pid: z.number().int().positive() }),
  z.object({ op: z.literal('logoff'), account: z.string().max(64) }),
  z.object({ op: z.literal('status') }),
]);
export type TerminalRequest = z.infer<typeof terminalRequest>;

const accountStatus = z.object({
  accountId: z.string(),
  name: z.string().nullable(),
  phase: z.string(),
  grantId: z.string().nullable(),
  secondsLeft: z.number().nullable(),
  idleSeconds: z.number().nullable(),
});

/** What the agent tells a terminal. */
export const agentEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('started'),
    id: z.string(),
    method: z.enum(['QR', 'TOTP', 'PUSH']),
    tenantName: z.string(),
    shownNumber: z.string(),
    qrPayload: z.string().nullable(),
    secondsLeft: z.number(),
  }),
  z.object({ event: z.literal('attached') }),
  /** The computer decides this login by itself: scan or type its id, then type the code. */
  z.object({ event: z.literal('offline'), id: z.string(), qrPayload: z.string(), computerTime: z.string() }),
  /** The code was right; why is asked before the access begins. */
  z.object({ event: z.literal('reason-wanted'), reason: z.boolean(), ticket: z.boolean() }),
  z.object({ event: z.literal('code-accepted') }),
  z.object({ event: z.literal('code-refused'), message: z.string(), retryAt: z.string().nullable() }),
  z.object({
    event: z.literal('active'),
    loginRequestId: z.string(),
    accountId: z.string(),
    grantId: z.string().nullable(),
    account: z.string(),
    uid: z.number(),
    secondsLeft: z.number(),
    passwordVerified: z.boolean().nullable(),
    /** The private root on which the account was made; null: it is a real account. */
    root: z.string().nullable(),
  }),
  /** The access ends soon; the terminals of the session were told already. */
  z.object({ event: z.literal('warning'), secondsLeft: z.number(), message: z.string() }),
  z.object({ event: z.literal('ended'), reason: z.string().nullable() }),
  /** The login is over without a session. */
  z.object({ event: z.literal('failed'), state: z.enum(['DENIED', 'EXPIRED', 'FAILED', 'CANCELLED', 'REFUSED']), message: z.string() }),
  z.object({ event: z.literal('status'), revision: z.number().nullable(), reportsWaiting: z.number(), accounts: z.array(accountStatus) }),
  z.object({ event: z.literal('done') }),
]);
export type AgentEvent = z.infer<typeof agentEvent>;
