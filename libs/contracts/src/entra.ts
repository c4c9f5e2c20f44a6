import { z } from 'zod';
import type { EntraAccountKind } from './approval-content.ts';
import { reason, ticket } from './fields.ts';
import { id } from './principal.ts';

export const entraAccountKinds = ['JIT', 'OWN'] as const satisfies readonly EntraAccountKind[];

/** The whole tenant, one administrative unit or one application (Graph's `directoryScopeId`). */
export const entraScope = z
  .string()
  .regex(
    /^\/((administrativeUnits\/)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})?$/,
    'must be /, /administrativeUnits/<id> or /<object id of an application>, the id in lower case',
  );

/** A grant of access in Entra, as services/jit-policy wants it. */
export const entraGrant = z.object({
  grantId: id,
  technicianId: id,
  /** False: take it away, or do not begin. */
  wanted: z.boolean(),
  /** The role's display name, as the access rule and the technician named it. */
  roleName: z.string().min(1).max(100),
  scope: entraScope,
  accountKind: z.enum(entraAccountKinds),
  /** Why, and for which ticket: where Privileged Identity Management gives the role, the customer's audit log shows both. */
  reason: reason.nullish(),
  ticket: ticket.nullish(),
  /** The X25519 public key (base64url) to which the one-time credential is sealed. */
  recipientKey: z.string().max(64),
  /** How long it lasts from the moment that it is active. */
  sessionSeconds: z.int().positive(),
  /** Not active by then: it is not begun any more. */
  activateBy: z.iso.datetime(),
  /** When it ends; null until it is active. */
  expiresAt: z.iso.datetime().nullable(),
  /** What the names of accounts that Stint makes begin with, and after how many unused days they are deleted: settings of the tenant. */
  accountPrefix: z.string().max(20),
  accountRestDays: z.int().positive(),
});

/** ACTIVE: role and credential were read back. ENDED: seen gone. FAILED: nothing was given, or all of it was taken back. STUCK: its end fails, and is tried for ever. */
export const entraGrantStates = ['ACTIVE', 'ENDED', 'FAILED', 'STUCK'] as const;

/** What services/entra-connector found out about a grant. */
export const entraGrantReport = z.object({
  grantId: id,
  state: z.enum(entraGrantStates),
  /** When that was seen. */
  at: z.iso.datetime(),
  /** The account's user principal name; null before there is one. */
  accountName: z.string().max(113).nullable(),
  /** Why, in words for people, of FAILED and STUCK; what to know, of ACTIVE. */
  why: z.string().max(500).nullable(),
});
