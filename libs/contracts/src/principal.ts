import { z } from 'zod';
import { isId } from '@stint/kernel';
import { permissions, type Permission } from './permissions.ts';

export const id = z.string().refine(isId, 'must be a UUIDv7');
export const serviceNames = ['tenants', 'jit-policy', 'laps-vault', 'entra-connector'] as const;
export type ServiceName = (typeof serviceNames)[number];

const access = z.array(z.object({ tenantId: id, permissions: z.array(z.enum(permissions)) }));

/**
 * Who calls, as the gateway has proved it. `tenantId` is where the caller lives; `access` says in which tenants (each
 * with all below it) a technician or API client may do what. A device reaches only itself. `anonymous` may do what needs
 * no caller (redeem an invitation, enrol). `signedInAt` is when the technician last proved a passkey in this sign-in. `gateway` is the gateway asking on its own behalf.
 */
export const principal = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('technician'),
    id,
    mspId: id,
    tenantId: id,
    access,
    sessionId: z.string().optional(),
    signedInAt: z.iso.datetime().optional(),
  }),
  z.object({ kind: z.literal('device'), id, mspId: id, tenantId: id }),
  z.object({ kind: z.literal('client'), id, mspId: id, tenantId: id, access }),
  z.object({ kind: z.literal('anonymous') }),
  z.object({ kind: z.literal('gateway') }),
]);
export type Principal = z.infer<typeof principal>;
/** A caller that belongs to a tenant: whoever may open a tenant scope. */
export type Actor = Extract<Principal, { mspId: string }>;

/** The tenants that the actor reaches, each with all below it. */
export function reachOf(actor: Actor): string[] {
  return actor.kind === 'device' ? [actor.tenantId] : actor.access.map(({ tenantId }) => tenantId);
}

/** The actor as far as one of `wanted` carries: its access is narrowed to the tenants where it holds one of them. */
export function narrowed(actor: Actor, wanted: readonly Permission[]): Actor {
  if (actor.kind === 'device') return actor;
  return { ...actor, access: actor.access.filter((entry) => entry.permissions.some((permission) => wanted.includes(permission))) };
}

/** The actor for what everybody may do to themselves: it reaches its home tenant, whatever its roles. Use it for the actor's own rows only. */
export function asSelf(actor: Actor): Actor {
  return actor.kind === 'device' ? actor : { ...actor, access: [{ tenantId: actor.tenantId, permissions: [] }] };
}

/** How the gateway hands the principal to a subgraph: a JWT signed with its Ed25519 key (RFC 7519, RFC 8037). */
export const principalToken = {
  header: 'x-stint-principal',
  issuer: 'stint-gateway',
  algorithm: 'EdDSA',
  /** Claim that holds the principal. */
  claim: 'principal',
  lifetimeSeconds: 30,
} as const;
