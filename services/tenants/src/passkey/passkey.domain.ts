import { addSeconds, type Id } from '@stint/kernel';
import { maxPasskeys } from '@stint/contracts';

/** A WebAuthn credential of a technician: what they sign in with and sign approvals with. */
export interface Passkey {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  /** Chosen by the authenticator; base64url. */
  credentialId: string;
  /** COSE key, base64url. */
  publicKey: string;
  /** COSE algorithm number. */
  algorithm: number;
  counter: number;
  backedUp: boolean;
  label: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  /** Wrong assertions since the last right one. */
  failures: number;
}

/** What an authenticator is asked to sign for. */
export type ChallengePurpose = 'SIGN_IN' | 'REGISTER' | 'JOIN' | 'RECOVER';

/** How long a challenge waits: for a new passkey somebody may have to fetch a security key. */
export const challengeSeconds = { SIGN_IN: 120, REGISTER: 300, JOIN: 300, RECOVER: 300 } as const satisfies Record<
  ChallengePurpose,
  number
>;

/** How long after signing in with a passkey a technician may change what they sign in with. */
export const freshSignInSeconds = 300;
// The gateway's clock may be ahead of ours by this much.
const aheadSeconds = 30;

/** True when the technician has proved a passkey a moment ago; `signedInAt` is RFC 3339. */
export function isFreshSignIn(signedInAt: string | undefined, now: Date): boolean {
  if (signedInAt === undefined) return false;
  const at = new Date(signedInAt);
  return addSeconds(at, freshSignInSeconds) >= now && at <= addSeconds(now, aheadSeconds);
}

/** Why a technician with `count` passkeys may not register another, or null when they may. */
export function refuseAnother(count: number): string | null {
  return count >= maxPasskeys ? `A technician can have ${maxPasskeys} passkeys at most. Remove one first.` : null;
}

/** Why one of `count` passkeys may not be removed, or null when it may. */
export function refuseRemoval(count: number): string | null {
  return count <= 1 ? 'This is your last passkey: without it you could not sign in. Register another one first.' : null;
}

/** Why a passkey cannot be kept, or null when it can: all of a technician's fit into one message. */
export function refuseSize(passkey: { id: string; publicKey: string }): string | null {
  return passkey.id.length > 172 || passkey.publicKey.length > 400
    ? 'This authenticator makes longer keys than are supported (RSA above 2048 bits, or credential ids above 128 bytes). Use another one.'
    : null;
}

/** The WebAuthn user handle of a technician: the 16 bytes of the id, which tell nothing to who finds the authenticator (WebAuthn §14.6.1). */
export function userHandle(technicianId: Id): Buffer {
  return Buffer.from(technicianId.replaceAll('-', ''), 'hex');
}
