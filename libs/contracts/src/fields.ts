import { z } from 'zod';

// C0 and C1 controls, bidirectional overrides, zero-width characters, surrogates: nothing that can make two names look the same or turn a line around.
const unprintable = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

/** One line of text typed by a person: Unicode NFC, trimmed, 1 to `max` characters, without control or invisible characters. */
export function line(max: number) {
  return z
    .string()
    .transform((text) => text.normalize('NFC').trim())
    .refine((text) => text.length >= 1 && text.length <= max, `must have between 1 and ${max} characters`)
    .refine((text) => !unprintable.test(text), 'must not contain control or invisible characters');
}

export const displayName = line(100);
export const reason = line(500);
export const ticket = line(100);

/** An email address, lower-cased: ASCII, at most 254 characters (RFC 5321 §4.5.3.1). */
export const email = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine(
    (text) => text.length <= 254 && /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(text),
    'must be an email address such as anna@example.com',
  );

/** A host name as the computer tells it (RFC 1123, underscores allowed as Windows does). */
export const hostName = z.string().regex(/^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/, 'must be a host name');

/** An Ed25519 public key: the `x` of its JWK (RFC 8037 §2), 32 bytes in base64url. */
export const ed25519PublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the x of an Ed25519 JWK: 43 base64url characters');

/** An X25519 public key for HPKE, 32 bytes in base64url. */
export const hpkePublicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be an X25519 public key: 43 base64url characters');

/** A DNS name of an Active Directory domain such as `corp.example.com`, lower-cased, without a dot at its end (RFC 1035 §2.3.4: at most 253 characters). */
export const domainName = z
  .string()
  .transform((text) => text.trim().toLowerCase().replace(/\.$/, ''))
  .refine(
    (text) => text.length <= 253 && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(text),
    'must be the DNS name of a domain such as corp.example.com',
  );

/** A device's tag: what access rules name devices by. */
export const deviceTag = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .refine((text) => /^[a-z0-9][a-z0-9._-]{0,39}$/.test(text), 'must have 1 to 40 characters: a-z, 0-9, dot, underscore and hyphen');
