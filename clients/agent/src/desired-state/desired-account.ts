import { z } from 'zod';
import { reading } from '../deadline/device-clock.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** What one account must look like, as the server wants it; instants in milliseconds. */
export const desiredAccount = z.object({
  id: z.string(),
  name: z.string(),
  displayName: z.string(),
  state: z.enum(['ENABLED', 'DISABLED', 'ABSENT']),
  grantId: z.string().nullable(),
  loginRequestId: z.string().nullable(),
  sessionSeconds: z.number().int().positive().nullable(),
  activateBy: z.union([z.number(), instant]).nullable(),
  expiresAt: z.union([z.number(), instant]).nullable(),
  passwordLength: z.number().int(),
});
export type DesiredAccount = z.infer<typeof desiredAccount>;

/** The last desired state that was received, and when. */
export const desiredState = z.object({ revision: z.number().int(), accounts: z.array(desiredAccount), receivedAt: reading });
