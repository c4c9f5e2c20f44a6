import { z } from 'zod';
import { id } from './principal.ts';

/** Microsoft's object id: a GUID in lower case. Never used again, unlike names and addresses. */
export const entraObjectId = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be an object id: a GUID in lower case');

/** Most groups that a tenant's user source can be chosen from, so that a person in all of them fits into one message. */
export const maxSourceGroups = 40;

/** What a user source may give. Not ADMINISTRATOR: whoever may write the group in Entra would administer everything here. */
export const sourceRoles = ['TECHNICIAN', 'AUDITOR', 'HELPDESK'] as const;
export type SourceRole = (typeof sourceRoles)[number];

/** A person of a tenant's user source, as they must be here. */
export const sourceTechnician = z.object({
  objectId: entraObjectId,
  email: z.string().max(254),
  displayName: z.string().max(100),
  /** In a chosen group, and neither disabled nor deleted. */
  present: z.boolean(),
  /** False once the source is switched off: the person is local from then on, as `present` left them. */
  owned: z.boolean(),
  groupIds: z.array(id).max(maxSourceGroups),
  /** Held on the source's own tenant. */
  roles: z.array(z.enum(sourceRoles)),
});
export type SourceTechnician = z.infer<typeof sourceTechnician>;
