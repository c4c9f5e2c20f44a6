import { z } from 'zod';
import { configFields } from '@stint/host';

const ed25519X = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** What the process needs to know. Secrets have no default. */
export const lapsVaultConfig = z.object({
  PORT: configFields.port(4003),
  HOST: configFields.host,
  /** Connection string of the role that serves requests. */
  DATABASE_URL: z.string().min(1),
  /** Connection string of the role that works across tenants. */
  DATABASE_SYSTEM_URL: z.string().min(1),
  /** Connection string of the role that owns the tables; when set, migrations run at the start. */
  DATABASE_OWNER_URL: z.string().min(1).optional(),
  /** `redis://…` or `postgres://…`. */
  QUEUE_URL: z.string().regex(/^(rediss?|postgres(ql)?):\/\//),
  /** Comma separated: the `x` of each Ed25519 JWK with which a gateway may sign principals. Several while a key is rotated. */
  GATEWAY_PUBLIC_KEYS: z
    .string()
    .transform((text) => text.split(',').map((x) => x.trim()))
    .pipe(z.array(ed25519X).min(1)),
  /** File with this service's Ed25519 key (PKCS#8 PEM), which signs its messages. */
  MESSAGE_SIGNING_KEY_FILE: z.string().min(1),
  /** `tenants=<x>,jit-policy=<x>,laps-vault=<x>`: whose messages are believed. */
  MESSAGE_PUBLIC_KEYS: configFields.record.pipe(z.object({ tenants: ed25519X, 'jit-policy': ed25519X, 'laps-vault': ed25519X })),
  /**
   * The root key that wraps the private halves of vault keys, and after commas former ones that only unwrap: `file:/path` (64 hex
   * digits, mode 0600), `pkcs11:token=…;object=…?module-path=/…&pin-source=file:/…` or `aws-kms:arn:…`. Another one than that of services/tenants.
   */
  KEY_PROVIDER: z.string().min(1),
  LOG_LEVEL: z.string().default('info'),
});
export type LapsVaultConfig = z.infer<typeof lapsVaultConfig>;
