import { z } from 'zod';
import { serviceConfig } from '@stint/host';

/** What the process needs to know. Secrets have no default. */
export const entraConnectorConfig = serviceConfig(4004).extend({
  /**
   * The root key that wraps client secrets, certificate keys and passwords under way, and after commas former ones that only
   * unwrap: `file:/path` (64 hex digits, mode 0600), `pkcs11:…` or `aws-kms:arn:…`. Another one than those of the other services.
   */
  KEY_PROVIDER: z.string().min(1),
  /** Where people reach Stint: Microsoft's consent page sends the browser back there. */
  PUBLIC_URL: z.url().default('http://localhost:4000'),
  /** Another address instead of Microsoft's clouds, such as the Graph emulator's. For development, tests and demonstrations only. */
  GRAPH_EMULATOR_URL: z.url({ protocol: /^https?$/ }).optional(),
});
export type EntraConnectorConfig = z.infer<typeof entraConnectorConfig>;
