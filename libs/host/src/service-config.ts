import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { serviceNames, type ServiceName } from '@stint/contracts';
import { publicKeyFromX } from '@stint/crypto';
import { configFields } from './config.ts';

const ed25519X = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/)
  .transform(publicKeyFromX);

/** What the process of every service needs to know; a service extends it by its own. Secrets have no default. */
export const serviceConfig = (port: number) =>
  z.object({
    PORT: configFields.port(port),
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
    /** `<service>=<x>,…` for every service: whose messages are believed. */
    MESSAGE_PUBLIC_KEYS: configFields.record.pipe(
      z.object(Object.fromEntries(serviceNames.map((name) => [name, ed25519X])) as Record<ServiceName, typeof ed25519X>),
    ) as z.ZodType<Record<ServiceName, KeyObject>>,
    LOG_LEVEL: z.string().default('info'),
  });
