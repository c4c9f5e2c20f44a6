import type { KeyObject } from 'node:crypto';
import { generateSigningKey, privateKeyFromPem, privateKeyToPem } from '@stint/crypto';
import { isId, newId } from '@stint/kernel';
import { z } from 'zod';

/** What this machine signs in with: where, as whom, and the private key, which exists nowhere else. */
export const profileContent = z.strictObject({
  version: z.literal(1),
  /** The gateway's public address. */
  url: z.url({ protocol: /^https?$/ }),
  /** The OAuth client id under which the public key is registered. */
  credentialId: z.string().refine(isId, 'must be a UUIDv7'),
  /** Ed25519, PKCS#8 PEM. */
  privateKey: z.string().refine(isPrivateKey, 'must be an Ed25519 private key'),
  /** SHA-256 of the invitation that the key was made for, to know it again after a cut-off sign-in without keeping it. */
  invitation: z.string(),
});
export type ProfileContent = z.infer<typeof profileContent>;

/** A profile with its key ready to sign. */
export interface Profile {
  name: string;
  url: string;
  credentialId: string;
  privateKey: KeyObject;
}

/** A new key pair for a sign-in that has not happened yet. */
export function newProfileContent(url: string, invitation: string): ProfileContent {
  return { version: 1, url, credentialId: newId(), privateKey: privateKeyToPem(generateSigningKey()), invitation };
}

/** The profile of a file's checked content. */
export function toProfile(name: string, { url, credentialId, privateKey }: ProfileContent): Profile {
  return { name, url, credentialId, privateKey: privateKeyFromPem(privateKey) };
}

function isPrivateKey(pem: string): boolean {
  try {
    privateKeyFromPem(pem);
    return true;
  } catch {
    return false;
  }
}
