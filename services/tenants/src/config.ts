import { z } from 'zod';
import { serviceConfig } from '@stint/host';

/** What the process needs to know. Secrets have no default. */
export const tenantsConfig = serviceConfig(4001).extend({
  /** File with the root key (64 hex digits, mode 0600) under which TOTP seeds are wrapped. */
  KEY_FILE: z.string().min(1),
  /** Where people reach Stint: invitations carry it, and passkeys belong to its host name (WebAuthn knows no IP addresses). */
  PUBLIC_URL: z
    .url()
    .refine((url) => !/^(\[|[\d.]+$)/.test(new URL(url).hostname), 'must have a host name, not an IP address: passkeys belong to it')
    .default('http://localhost:4000'),
  /** File with the P-256 key (PKCS#8 PEM, mode 0600) by which push services recognise this installation (VAPID, RFC 8292). */
  VAPID_KEY_FILE: z.string().min(1),
  /** How push services reach who runs this: `mailto:` or `https:`. By default the postmaster (RFC 5321 §4.5.1) of PUBLIC_URL. */
  VAPID_SUBJECT: z
    .string()
    .regex(/^(mailto:[^@\s]+@\S+|https:\/\/\S+)$/)
    .optional(),
  /** Comma separated: hosts of push services, `*.` for any subdomain. An origin with its scheme (for tests) is allowed as it is. */
  PUSH_HOSTS: z
    .string()
    .default('fcm.googleapis.com,updates.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com')
    .transform((text) => text.split(',').map((host) => host.trim()))
    .pipe(z.array(z.string().regex(/^((\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+|http:\/\/127\.0\.0\.1:\d+)$/))),
  /** `true`: identity providers may be at http addresses of this machine. For tests and demonstrations only. */
  ALLOW_INSECURE_IDENTITY_PROVIDER: z.stringbool().default(false),
});
export type TenantsConfig = z.infer<typeof tenantsConfig>;
