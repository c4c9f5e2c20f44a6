import { z } from 'zod';
import { id, type ServiceName } from './principal.ts';
import { roles } from './permissions.ts';
import { auditEvent } from './audit.ts';

const scope = { mspId: id, tenantId: id };
/** Grows with every change of the thing; a copy applies a message only if its version is newer (late and doubled messages do nothing). */
const version = z.number().int().positive();

interface MessageDefinition {
  version: number;
  from: readonly ServiceName[];
  to: readonly ServiceName[];
  schema: z.ZodType;
}

/**
 * Every message between services: its producers, the services that get it and its payload. Identifiers and the small
 * copies that a consumer needs; never a secret, never a document, at most 4 KB. A change of a payload that an older
 * consumer cannot read needs a new version.
 */
export const messages = {
  /** A tenant was made or changed. `path` lists its ancestors from the MSP down to itself. */
  'tenant-changed': {
    version: 1,
    from: ['tenants'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, parentId: id.nullable(), path: z.array(id).min(1), name: z.string(), version }),
  },
  /** A technician was made or changed; `keys` are the public halves (Ed25519, JWK `x`) that sign approvals. */
  'technician-changed': {
    version: 1,
    from: ['tenants'],
    to: ['jit-policy'],
    schema: z.object({
      ...scope,
      technicianId: id,
      email: z.string(),
      displayName: z.string(),
      active: z.boolean(),
      roles: z.array(z.enum(roles)),
      keys: z.array(z.object({ id, x: z.string() })),
      version,
    }),
  },
  /** A device was enrolled, changed or revoked. */
  'device-changed': {
    version: 1,
    from: ['tenants'],
    to: ['jit-policy'],
    schema: z.object({
      ...scope,
      deviceId: id,
      kind: z.enum(['WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER']),
      hostName: z.string(),
      active: z.boolean(),
      version,
    }),
  },
  /** A TOTP code of this technician, typed at this device for this login request, was right and is now used up. */
  'totp-accepted': {
    version: 1,
    from: ['tenants'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, loginRequestId: id, deviceId: id, technicianId: id }),
  },
  /** An audit event, written with its effect by any service, on its way to the tenant's hash chain. */
  'audit-recorded': {
    version: 1,
    from: ['tenants', 'jit-policy'],
    to: ['tenants'],
    schema: auditEvent,
  },
} as const satisfies Record<string, MessageDefinition>;

export type MessageType = keyof typeof messages;
export type Payload<Type extends MessageType> = z.infer<(typeof messages)[Type]['schema']>;

/** The message types that a service must handle, from the routing above. */
export function messagesTo(service: ServiceName): MessageType[] {
  return (Object.keys(messages) as MessageType[]).filter((type) => (messages[type].to as readonly ServiceName[]).includes(service));
}
