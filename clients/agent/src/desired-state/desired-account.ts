import { z } from 'zod';
import { reading } from '../deadline/device-clock.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** One grant that an account is to be enabled for; instants in milliseconds. */
export const desiredGrant = z.object({
  grantId: z.string(),
  loginRequestId: z.string().nullable(),
  sessionSeconds: z.number().int().positive(),
  activateBy: z.union([z.number(), instant]),
  /** When it ends, once the server knows that it is active. */
  expiresAt: z.union([z.number(), instant]).nullable(),
  /** Seconds without input or activity after which it ends; null: never for that. */
  idleEndSeconds: z.number().int().positive().nullable().default(null),
  /** How long before its end the session is told. */
  warnSeconds: z.number().int().nonnegative().default(300),
});
export type DesiredGrant = z.infer<typeof desiredGrant>;

/** What one account must look like, as the server wants it. `ENABLED` with at least one grant. */
export const desiredAccount = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  state: z.enum(['ENABLED', 'DISABLED', 'ABSENT']),
  grants: z.array(desiredGrant),
  passwordLength: z.number().int(),
  /** Take new members of privileged groups out again at the end of the session in which they came. */
  removeNewPrivileged: z.boolean().default(false),
});
export type DesiredAccount = z.infer<typeof desiredAccount>;

/** The last desired state that was received, and when. */
export const desiredState = z.object({ revision: z.number().int(), accounts: z.array(desiredAccount), receivedAt: reading });
