import { z } from 'zod';
import { id, type ServiceName } from './principal.ts';
import { roles } from './permissions.ts';
import { auditEvent } from './audit.ts';
import { entraGrant, entraGrantReport } from './entra.ts';
import { lapsPolicy, lapsSealingKey, lapsSettings } from './laps.ts';
import { entraObjectId, maxSourceGroups, sourceTechnician } from './user-source.ts';

const scope = { mspId: id, tenantId: id };
/** Grows with every change of the thing; a copy applies a message only if its version is newer (late and doubled messages do nothing). */
const version = z.number().int().positive();

/** Most roles that a technician can hold, so that they fit into one message. */
export const maxAssignments = 20;
/** Most groups that a technician can be in, so that they fit into one message. */
export const maxGroupsOfTechnician = 40;
/** Most passkeys of a technician, so that they fit into one message. */
export const maxPasskeys = 6;
/** Most tags of a device. */
export const maxDeviceTags = 20;

/** A public key that signs approvals. Its parts are no longer than `maxPasskeys` of them fit into a message. */
const approvalKey = z.object({ id: z.string().max(172), publicKey: z.string().max(400), algorithm: z.int() });

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
    to: ['jit-policy', 'laps-vault', 'entra-connector'],
    schema: z.object({ ...scope, parentId: id.nullable(), path: z.array(id).min(1), name: z.string(), version }),
  },
  /** A technician was made or changed: who they are, which roles they hold where, in which groups they are. */
  'technician-changed': {
    version: 2,
    from: ['tenants'],
    to: ['jit-policy', 'laps-vault', 'entra-connector'],
    schema: z.object({
      ...scope,
      technicianId: id,
      email: z.string(),
      displayName: z.string(),
      active: z.boolean(),
      assignments: z.array(z.object({ tenantId: id, role: z.enum(roles) })).max(maxAssignments),
      groupIds: z.array(id).max(maxGroupsOfTechnician),
      totpEnrolled: z.boolean(),
      /** Who they are in the tenant's user source, while they come from it. */
      sourceObjectId: entraObjectId.nullish(),
      version,
    }),
  },
  /** The passkeys that sign a technician's approvals, all of them: credential id and COSE key in base64url, COSE algorithm number. */
  'technician-keys-changed': {
    version: 2,
    from: ['tenants'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, technicianId: id, keys: z.array(approvalKey), version }),
  },
  /** A technician group was made or renamed. Who is in it stands in `technician-changed`. */
  'group-changed': {
    version: 1,
    from: ['tenants'],
    to: ['jit-policy', 'entra-connector'],
    schema: z.object({ ...scope, groupId: id, name: z.string(), version }),
  },
  /** A device was enrolled, changed or revoked. `domain` is the AD domain that it is joined to, as its DNS name. */
  'device-changed': {
    version: 2,
    from: ['tenants'],
    to: ['jit-policy', 'laps-vault'],
    schema: z.object({
      ...scope,
      deviceId: id,
      kind: z.enum(['WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER']),
      hostName: z.string(),
      domain: z.string().nullable(),
      tags: z.array(z.string()).max(maxDeviceTags),
      hpkeKey: z.string(),
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
  /** A login by PUSH was started: time to decide whom it asks. */
  'push-login-started': {
    version: 1,
    from: ['jit-policy'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, loginRequestId: id }),
  },
  /** A technician was asked by a PUSH login and said that it was not them: nothing else may ask them now. */
  'login-disowned': {
    version: 1,
    from: ['jit-policy'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, loginRequestId: id, technicianId: id }),
  },
  /** A login, or access in Entra, waits for the yes of other people: time to hint them. */
  'access-requested': {
    version: 1,
    from: ['jit-policy'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, accessRequestId: id }),
  },
  /** A technician is asked on the phone. Nothing goes along that says where, let alone that approves: the phone asks. */
  'login-prompted': {
    version: 1,
    from: ['jit-policy'],
    to: ['tenants'],
    schema: z.object({
      ...scope,
      technicianId: id,
      loginRequestId: id,
      expiresAt: z.iso.datetime(),
    }),
  },
  /** How long a tenant's audit events are kept, from its effective settings; told when the tenant appears, too. */
  'audit-retention-changed': {
    version: 1,
    from: ['jit-policy'],
    to: ['tenants', 'entra-connector'],
    schema: z.object({ ...scope, days: z.number().int().min(30).max(3650), version }),
  },
  /** How break-glass accounts work in a tenant, from its effective settings; told when the tenant appears, too. */
  'laps-settings-changed': {
    version: 1,
    from: ['jit-policy'],
    to: ['laps-vault'],
    schema: z.object({ ...scope, settings: lapsSettings, version }),
  },
  /** Whether access to a tenant's Entra tenant can be given now: told when it is connected, found unusable or disconnected. */
  'entra-connection-changed': {
    version: 1,
    from: ['entra-connector'],
    to: ['jit-policy'],
    schema: z.object({
      ...scope,
      usable: z.boolean(),
      /** Why not, in words for a technician; null when it is usable. */
      problem: z.string().max(500).nullable(),
      version,
    }),
  },
  /** What access in Entra must be now for one grant: made, changed, or taken away. */
  'entra-grant-changed': {
    version: 1,
    from: ['jit-policy'],
    to: ['entra-connector'],
    schema: z.object({ ...scope, ...entraGrant.shape, version }),
  },
  /** What became of a grant in Entra, as read back there. */
  'entra-grant-reported': {
    version: 1,
    from: ['entra-connector'],
    to: ['jit-policy'],
    schema: z.object({ ...scope, ...entraGrantReport.shape, version }),
  },
  /** A break-glass account of a connected Entra tenant: registered or not any more, and how services/entra-connector sees it. */
  'entra-break-glass-changed': {
    version: 1,
    from: ['entra-connector'],
    to: ['laps-vault'],
    schema: z.object({
      ...scope,
      accountId: id,
      userPrincipalName: z.string().max(113),
      registered: z.boolean(),
      /** Why its password cannot be changed, in words for people; null when all is well. */
      problem: z.string().max(500).nullable(),
      /** The version that was read back in Entra last; null before the first. */
      versionId: id.nullable(),
      /** Somebody else has changed the password since that version was read back. */
      tampered: z.boolean(),
      version,
    }),
  },
  /** The password of a break-glass account in Entra is to be changed now. Told again until it was. */
  'entra-rotation-due': {
    version: 1,
    from: ['laps-vault'],
    to: ['entra-connector'],
    schema: z.object({ ...scope, accountId: id, fence: z.int().nonnegative(), vaultKey: lapsSealingKey, policy: lapsPolicy }),
  },
  /** A new password of such an account, sealed to the tenant's vault key, before it is set in Entra. */
  'entra-rotation-escrowed': {
    version: 1,
    from: ['entra-connector'],
    to: ['laps-vault'],
    schema: z.object({
      ...scope,
      accountId: id,
      versionId: id,
      fence: z.int().nonnegative(),
      keyId: id,
      enc: z.string().max(64),
      ciphertext: z.string().max(1024),
    }),
  },
  /** Whether the vault holds that version, so that it may be set, and the number that the next one must carry. */
  'entra-rotation-answered': {
    version: 1,
    from: ['laps-vault'],
    to: ['entra-connector'],
    schema: z.object({ ...scope, accountId: id, versionId: id, taken: z.boolean(), fence: z.int().nonnegative() }),
  },
  /** That version is the one in Entra, as read back there. */
  'entra-rotation-confirmed': {
    version: 1,
    from: ['entra-connector'],
    to: ['laps-vault'],
    schema: z.object({ ...scope, accountId: id, versionId: id }),
  },
  /** Which technician groups a tenant's user source fills; none when it is switched off. */
  'user-source-changed': {
    version: 1,
    from: ['entra-connector'],
    to: ['tenants'],
    schema: z.object({ ...scope, groupIds: z.array(id).max(maxSourceGroups), version }),
  },
  /** What a person of a tenant's user source must be now. The version is that person's own. */
  'source-technician-changed': {
    version: 1,
    from: ['entra-connector'],
    to: ['tenants'],
    schema: z.object({ ...scope, ...sourceTechnician.shape, version }),
  },
  /** An audit event, written with its effect by any service, on its way to the tenant's hash chain. */
  'audit-recorded': {
    version: 1,
    from: ['tenants', 'jit-policy', 'laps-vault', 'entra-connector'],
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
