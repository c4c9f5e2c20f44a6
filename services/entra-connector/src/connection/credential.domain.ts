import { addSeconds, invalidInput, type Id } from '@stint/kernel';

/** What proves Stint in an Entra tenant. */
export interface Credential {
  mspId: Id;
  tenantId: Id;
  id: Id;
  kind: 'SECRET' | 'CERTIFICATE';
  /** NEW: not proved yet. FORMER: another has taken over; kept for a day. */
  state: 'NEW' | 'IN_USE' | 'FORMER';
  /** The secret, or the private key (PKCS #8), wrapped by the key provider. */
  wrapped: Buffer;
  certificatePem: string | null;
  thumbprint: string | null;
  thumbprintS256: string | null;
  createdAt: Date;
  endsAt: Date;
  retiredAt: Date | null;
  warnedDays: number | null;
}

/** Where a wrapped credential belongs: it opens nowhere else. */
export function credentialPlace({ mspId, tenantId, id }: Pick<Credential, 'mspId' | 'tenantId' | 'id'>): string {
  return `entra-credential:${mspId}:${tenantId}:${id}`;
}

/** How long a former credential is kept, for those who are about to use it. */
export const formerSeconds = 86_400;
/** Before its end a warning goes out so many days. */
export const warningDays = [30, 14, 3] as const;
/** How long a certificate that Stint makes is valid. */
export const certificateSeconds = 365 * 86_400;

/** Days of the newest warning that is due, of one that ends then; null: none yet. */
export function warningDue(endsAt: Date, now: Date): number | null {
  return warningDays.filter((days) => now >= addSeconds(endsAt, -days * 86_400)).at(-1) ?? null;
}

/** Whole days until then, rounded up; 0 when it has passed. */
export function daysUntil(endsAt: Date, now: Date): number {
  return Math.max(0, Math.ceil((endsAt.getTime() - now.getTime()) / 86_400_000));
}

const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** When a client secret ends that somebody gives. Problem `InvalidInput`, which never quotes it. */
export function checkedSecret(secret: string, endsOn: string, now: Date): Date {
  if (guid.test(secret.trim())) {
    throw invalidInput('secret', 'This is the id of a secret. Pass its "Value", which Entra shows only once, when it is made.');
  }
  if (!/^[\x21-\x7e]{16,256}$/.test(secret)) {
    throw invalidInput('secret', 'Pass the "Value" of the client secret: 16 to 256 characters without spaces.');
  }
  const endsAt = new Date(`${endsOn}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(endsOn) || Number.isNaN(endsAt.getTime())) {
    throw invalidInput('endsOn', 'Pass the day on which the secret ends as year, month and day, for example 2027-05-31.');
  }
  if (endsAt <= now) throw invalidInput('endsOn', 'The secret has ended by then. Make a new one.');
  return endsAt;
}
