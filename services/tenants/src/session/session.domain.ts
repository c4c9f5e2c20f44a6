import type { Id } from '@stint/kernel';

export const signInMethods = ['PASSKEY', 'IDENTITY_PROVIDER', 'IDENTITY_PROVIDER_AND_PASSKEY'] as const;
export type SignInMethod = (typeof signInMethods)[number];

export const artefactModels = ['INTERACTION', 'AUTHORIZATION_CODE', 'REFRESH_TOKEN'] as const;
export type ArtefactModel = (typeof artefactModels)[number];

/** One sign-in of a person: what holds their refresh tokens together. */
export interface Session {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  /** The OAuth client id. */
  client: string;
  userAgent: string;
  signedInBy: SignInMethod;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
}

/** Why a session ended before its time; goes into the audit log. */
export type EndReason = 'revoked' | 'token-reused' | 'technician-changed';

/** A refresh token of a session, as far as rotation asks. */
export interface RefreshTokenState {
  /** How often the session was refreshed before it was given out. */
  rotation: number;
  used: boolean;
  /** Its answer seemed lost, and another token was given out in its place. */
  superseded: boolean;
}

/**
 * Whether a refresh token may be used, given the session's other ones (RFC 9700 §4.14.2). The newest may; so may the one
 * before it while its successor is unused, because then the answer with the successor was lost on its way, and the
 * successor is superseded. All else means that two hold the session: with the second use by either, it ends.
 */
export function mayRefresh(token: RefreshTokenState, others: readonly RefreshTokenState[]): boolean {
  if (token.superseded) return false;
  return !others.some(({ rotation, used, superseded }) => used && !superseded && rotation >= token.rotation);
}
