import { z } from 'zod';
import { id } from './principal.ts';

/** Every kind of audit event. Past tense, the thing first. */
export const auditActions = [
  'msp.created',
  'tenant.created',
  'tenant.renamed',
  'technician.invited',
  'technician.joined',
  'technician.changed',
  'session.started',
  'session.revoked',
  'technician.signed-in',
  'technician.sign-in-refused',
  'passkey.registered',
  'passkey.removed',
  'identity-provider.changed',
  'identity-provider.removed',
  'identity-provider.linked',
  'recovery.started',
  'recovery.approved',
  'recovery.cancelled',
  'recovery.redeemed',
  'technician.all-ended',
  'role.assigned',
  'role.removed',
  'totp.enrolled',
  'totp.accepted',
  'totp.refused',
  'totp.locked',
  'group.created',
  'group.changed',
  'enrollment-token.issued',
  'enrollment-token.revoked',
  'device.enrolled',
  'device.changed',
  'device.revoked',
  'client.created',
  'client.revoked',
  'settings.changed',
  'audit.trimmed',
  'login.started',
  'login.approved',
  'login.denied',
  'login.expired',
  'login.failed',
  'grant.activated',
  'grant.extended',
  'grant.shortened',
  'grant.end-requested',
  'grant.ended',
  'grant.failed',
  'grant.end-stuck',
  'grant.privileged-changed',
  'device.stray-account',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** One audit event as its producer writes it, in the transaction of the effect it tells of. No secrets. */
export const auditEvent = z.object({
  mspId: id,
  tenantId: id,
  eventId: id,
  occurredAt: z.iso.datetime(),
  actorKind: z.enum(['technician', 'device', 'client', 'system']),
  actorId: id.nullable(),
  action: z.enum(auditActions),
  /** What it was done to, for example a grant's id. */
  subjectId: id,
  /** Short facts for the reader of the log, for example `{ "reason": "…" }`. */
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type AuditEvent = z.infer<typeof auditEvent>;
