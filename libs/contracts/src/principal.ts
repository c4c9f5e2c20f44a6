import { z } from 'zod';
import { isId } from '@stint/kernel';
import { permissions } from './permissions.ts';

export const id = z.string().refine(isId, 'must be a UUIDv7');
export const serviceNames = ['tenants', 'jit-policy'] as const;
export type ServiceName = (typeof serviceNames)[number];

/**
 * Who calls, as the gateway has proved it. `tenantId` is where the caller lives: a technician or API client reaches that
 * tenant and all below it, a device only itself. `anonymous` may do what needs no caller (redeem an invitation, enrol).
 * `gateway` is the gateway asking on its own behalf (credential look-ups).
 */
export const principal = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('technician'), id, mspId: id, tenantId: id, permissions: z.array(z.enum(permissions)) }),
  z.object({ kind: z.literal('device'), id, mspId: id, tenantId: id }),
  z.object({ kind: z.literal('client'), id, mspId: id, tenantId: id, permissions: z.array(z.enum(permissions)) }),
  z.object({ kind: z.literal('anonymous') }),
  z.object({ kind: z.literal('gateway') }),
]);
export type Principal = z.infer<typeof principal>;
/** A caller that belongs to a tenant: whoever may open a tenant scope. */
export type Actor = Extract<Principal, { mspId: string }>;

/** How the gateway hands the principal to a subgraph: a JWT signed with its Ed25519 key (RFC 7519, RFC 8037). */
export const principalToken = {
  header: 'x-stint-principal',
  issuer: 'stint-gateway',
  algorithm: 'EdDSA',
  /** Claim that holds the principal. */
  claim: 'principal',
  lifetimeSeconds: 30,
} as const;
