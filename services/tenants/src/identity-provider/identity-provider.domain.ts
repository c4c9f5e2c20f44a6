import type { Id } from '@stint/kernel';

/** The OpenID Connect provider at which the technicians of a tenant, and of those below without their own, sign in. */
export interface IdentityProvider {
  mspId: Id;
  tenantId: Id;
  id: Id;
  issuer: string;
  clientId: string;
  /** Wrapped: the client secret; null with private_key_jwt. */
  clientSecret: Buffer | null;
  /** Wrapped: the private JWK of private_key_jwt; null with a secret. */
  clientKey: Buffer | null;
  /** The public half of it. */
  clientJwk: Record<string, unknown> | null;
  /** A passkey is asked for besides. */
  passkeyToo: boolean;
  /** Nobody signs in by passkey alone. */
  required: boolean;
}

/** What an identity provider says about who came back. */
export interface Vouched {
  subject: string;
  email: string | null;
  emailVerified: boolean;
}

/** Why this address cannot be an issuer, or null: https, or http on this machine where the installation allows it (OpenID Connect Discovery §3). */
export function refuseIssuer(issuer: string, allowInsecure: boolean): string | null {
  if (!URL.canParse(issuer)) return 'must be an address such as https://login.example.com';
  const url = new URL(issuer);
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '' || issuer.length > 500)
    return 'must be an address without user, query and fragment';
  return isAllowedAddress(url, allowInsecure) ? null : 'must begin with https://';
}

/** True for an address that may be asked on behalf of an MSP. */
export function isAllowedAddress(url: URL, allowInsecure: boolean): boolean {
  if (url.protocol === 'https:') return true;
  return allowInsecure && url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}

/** Reads the claims of an ID token or of the userinfo endpoint. Entra tells by `xms_edov` what others tell by `email_verified`. */
export function vouchedBy(claims: Readonly<Record<string, unknown>>): Vouched {
  const { sub, email, email_verified: verified, xms_edov: ownerVerified } = claims;
  return {
    subject: String(sub),
    email: typeof email === 'string' ? email.trim().toLowerCase() : null,
    emailVerified: [true, 'true', 1, '1'].some((yes) => yes === verified || yes === ownerVerified),
  };
}

/**
 * Who has come back. A subject that is bound is the technician whom it is bound to, whatever its address is now. A new one
 * is bound to the technician with the same address, verified by the provider, who is bound to no other subject.
 */
export function whoCameBack(
  vouched: Vouched,
  bound: Id | null,
  byEmail: { technicianId: Id; boundAlready: boolean } | null,
): { technicianId: Id; bind: boolean } | null {
  if (bound !== null) return { technicianId: bound, bind: false };
  if (byEmail === null || vouched.email === null || !vouched.emailVerified || byEmail.boundAlready) return null;
  return { technicianId: byEmail.technicianId, bind: true };
}
