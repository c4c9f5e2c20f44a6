import { createHash, randomBytes } from 'node:crypto';

/** A new one-time token: 128 random bits in base64url (22 characters). */
export function newToken(): string {
  return randomBytes(16).toString('base64url');
}

/** How a token is kept: its SHA-256. Tokens are random, so that neither salt nor stretching is needed. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
