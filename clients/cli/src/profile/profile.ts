import { privateKeyFromPem } from '@stint/crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';

/** What this machine keeps of a sign-in. Refresh token and key are worth something only together, and exist nowhere else. */
export const profileContent = z.strictObject({
  version: z.literal(2),
  /** The gateway's public address. */
  url: z.url({ protocol: /^https?$/ }),
  /** Ed25519, PKCS#8 PEM: the session is bound to it (RFC 9449). */
  dpopKey: z.string().refine(isPrivateKey, 'must be an Ed25519 private key'),
  /** Counts once: each use brings the next one. */
  refreshToken: z.string().min(1),
});
export type ProfileContent = z.infer<typeof profileContent>;

/** A profile with its key ready to sign. */
export interface Profile {
  name: string;
  url: string;
  dpopKey: KeyObject;
}

/** The profile of a file's checked content. */
export function toProfile(name: string, { url, dpopKey }: ProfileContent): Profile {
  return { name, url, dpopKey: privateKeyFromPem(dpopKey) };
}

function isPrivateKey(pem: string): boolean {
  try {
    privateKeyFromPem(pem);
    return true;
  } catch {
    return false;
  }
}
