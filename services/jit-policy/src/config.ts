import { z } from 'zod';
import { serviceConfig } from '@stint/host';

/** What the process needs to know. Secrets have no default. */
export const jitPolicyConfig = serviceConfig(4002).extend({
  /** Where people reach Stint: the QR code carries it. */
  PUBLIC_URL: z.url().default('http://127.0.0.1:4000'),
});
export type JitPolicyConfig = z.infer<typeof jitPolicyConfig>;
