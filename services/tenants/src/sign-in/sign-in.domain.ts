import type { Id } from '@stint/kernel';

/** Why an assertion is not right (libs/crypto finds out). */
type PasskeyFailure =
  | 'malformed'
  | 'type'
  | 'challenge'
  | 'origin'
  | 'rp-id'
  | 'user-verification'
  | 'attestation'
  | 'algorithm'
  | 'other-passkey'
  | 'counter'
  | 'signature';
/** Why somebody is not let in; goes into the audit log, not to who tries. */
export type SignInFailure = PasskeyFailure | 'unknown-passkey' | 'switched-off' | 'other-person' | 'identity-provider-required';

/** What is known of who tries, once the passkey is proved. */
export interface Attempt {
  technicianId: Id;
  /** Active, and has joined. */
  maySignIn: boolean;
  /** The authenticator told the user handle of somebody else. */
  meansOther: boolean;
  /** Whom the identity provider vouched for a moment ago; null for a sign-in by passkey alone. */
  vouchedFor: Id | null;
  /** The identity provider must vouch for everybody who signs in. */
  required: boolean;
}

/** Why a proved passkey does not sign in, or null when it does. */
export function refuseSignIn(attempt: Attempt): SignInFailure | null {
  if (!attempt.maySignIn) return 'switched-off';
  // WebAuthn §7.2 step 6: the authenticator must mean the same person.
  if (attempt.meansOther) return 'other-person';
  if (attempt.vouchedFor !== null) return attempt.vouchedFor === attempt.technicianId ? null : 'other-person';
  return attempt.required ? 'identity-provider-required' : null;
}

/** How many refused tries in a row with one passkey are written to the audit log: a flood fills no disk. */
export const recordedFailures = 20;

/** What a person is told: whether passkey, person or challenge were wrong is not for who tries. */
export function refusalText(failure: SignInFailure): string {
  return failure === 'identity-provider-required'
    ? 'Your organisation signs in through its identity provider first. Choose that with your email address.'
    : 'This passkey was not accepted. Try again; if it fails again, ask an administrator.';
}
