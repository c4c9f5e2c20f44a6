import { z } from 'zod';
import { serviceConfig } from '@stint/host';

/** What the process needs to know. Secrets have no default. */
export const lapsVaultConfig = serviceConfig(4003).extend({
  /**
   * The root key that wraps the private halves of vault keys, and after commas former ones that only unwrap: `file:/path` (64 hex
   * digits, mode 0600), `pkcs11:token=…;object=…?module-path=/…&pin-source=file:/…` or `aws-kms:arn:…`. Another one than that of services/tenants.
   */
  KEY_PROVIDER: z.string().min(1),
});
export type LapsVaultConfig = z.infer<typeof lapsVaultConfig>;
