import type { EntraAccountKind } from '@stint/contracts';
import { addSeconds, type Id } from '@stint/kernel';
import type { PassPolicy } from '../graph/passes.port.ts';
import type { RoleDefinition, RoleReason } from '../graph/roles.port.ts';

/** How far a grant has come. ENDING covers everything between its last moment and the look that saw it gone. */
export type GrantPhase = 'BEGINNING' | 'ACTIVE' | 'ENDING' | 'ENDED' | 'FAILED';

export type CredentialKind = 'TEMPORARY_ACCESS_PASS' | 'PASSWORD';

/** LEASE: taken away by Stint. SCHEDULE: Entra ends it by itself as well. ALREADY: it was there before, and stays. */
export type AssignmentKind = 'LEASE' | 'SCHEDULE' | 'ALREADY';

/** A grant of access in Entra: what services/jit-policy wants of it, and what became of it. */
export interface EntraGrant {
  mspId: Id;
  tenantId: Id;
  id: Id;
  accountId: Id;
  technicianId: Id;
  wanted: boolean;
  roleName: string;
  scope: string;
  accountKind: EntraAccountKind;
  reason: string | null;
  ticket: string | null;
  recipientKey: string;
  sessionSeconds: number;
  activateBy: Date;
  expiresAt: Date | null;
  phase: GrantPhase;
  /** Null until it was checked. */
  roleDefinitionId: string | null;
  endsByItself: boolean;
  credentialKind: CredentialKind | null;
  passMinutes: number | null;
  passOnce: boolean;
  notice: string | null;
  /** Set before the call. */
  assignAskedAt: Date | null;
  /** Null until the role was seen. */
  assignmentKind: AssignmentKind | null;
  /** Null again once it was taken away. */
  assignmentId: string | null;
  builtInEndsAt: Date | null;
  credentialAt: Date | null;
  passId: string | null;
  credentialEndsAt: Date | null;
  enc: string | null;
  ciphertext: string | null;
  collectedAt: Date | null;
  activeAt: Date | null;
  endingSince: Date | null;
  endedAt: Date | null;
  stuckAt: Date | null;
  failure: string | null;
  reportVersion: number;
}

/** Why grants end with their connection. */
export const connectionEnds = 'The connection to this Entra tenant is being ended.';

/** After so long an end that was not seen is told loudly. */
export const stuckAfterSeconds = 300;

/** Roles that end by themselves last at least so long. */
const shortestScheduleSeconds = 300;

/** The session's end: as services/jit-policy says, and until it has said so reckoned from when it became active. */
export function endOf({ expiresAt, activeAt, sessionSeconds }: EntraGrant): Date | null {
  return expiresAt ?? (activeAt === null ? null : addSeconds(activeAt, sessionSeconds));
}

/** Whether there should be access now. */
export function isLive(grant: EntraGrant, technicianActive: boolean, now: Date): boolean {
  if (grant.phase !== 'BEGINNING' && grant.phase !== 'ACTIVE') return false;
  return grant.wanted && technicianActive && grant.failure === null && now < deadlineOf(grant);
}

/** When a grant that is live now stops being so by itself. */
export function deadlineOf(grant: EntraGrant): Date {
  const end = endOf(grant);
  if (grant.activeAt === null) return end !== null && end < grant.activateBy ? end : grant.activateBy;
  return end ?? grant.activateBy;
}

/** How a grant that is over is told: it failed when it was never active and nobody called it off. */
export function outcomeOf(grant: EntraGrant, technicianActive: boolean): { state: 'ENDED' | 'FAILED'; why: string | null } {
  if (grant.activeAt !== null || (!grant.wanted && grant.failure === null)) return { state: 'ENDED', why: grant.failure };
  if (grant.failure !== null) return { state: 'FAILED', why: grant.failure };
  if (!technicianActive) return { state: 'FAILED', why: 'The technician is switched off.' };
  return { state: 'FAILED', why: 'Entra could not make it ready in time. Ask again.' };
}

/** The role of that name in the customer's tenant, compared without case; or why there is none, in words. */
export function roleNamed(definitions: readonly RoleDefinition[], name: string): RoleDefinition | string {
  const wanted = folded(name);
  const found = definitions.filter(({ displayName }) => folded(displayName) === wanted);
  const [role] = found;
  if (role === undefined) return `This Entra tenant has no role “${name}”. Check its name in the access rule.`;
  if (found.length > 1) return `This Entra tenant has ${found.length} roles “${name}”. Rename all but one of them.`;
  return role.enabled ? role : `The role “${name}” is switched off in this Entra tenant.`;
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** How somebody will sign in: decided before anything is given. */
export interface CredentialPlan {
  credentialKind: CredentialKind;
  passMinutes: number | null;
  passOnce: boolean;
  notice: string | null;
}

const portalsWantMfa =
  'It is a password, because Temporary Access Passes are not possible here: {why}. Microsoft’s portals demand a second factor and will not let a password alone in. An administrator can allow passes under “Authentication methods”.';

/** A pass where the tenant's policy lets our account use one, otherwise a password. */
export function credentialPlan(policy: PassPolicy, sessionSeconds: number): CredentialPlan {
  const password = (why: string): CredentialPlan => ({
    ...{ credentialKind: 'PASSWORD', passMinutes: null, passOnce: false, notice: portalsWantMfa.replace('{why}', why) },
  });
  if (!policy.enabled) return password('the tenant’s policy has them switched off');
  if (policy.groupIds !== null) return password('the tenant’s policy allows them for certain groups only');
  const wanted = Math.ceil(sessionSeconds / 60);
  const passMinutes = Math.min(Math.max(wanted, policy.minimumMinutes), policy.maximumMinutes);
  const notices = [
    ...(passMinutes < wanted ? [`The tenant’s policy lets a pass live ${passMinutes} minutes at most: ask for a new one after that.`] : []),
    ...(policy.onceOnly ? ['The tenant’s policy lets a pass be used once: ask for a new one if you have to sign in again.'] : []),
  ];
  return { credentialKind: 'TEMPORARY_ACCESS_PASS', passMinutes, passOnce: policy.onceOnly, notice: notices.join(' ') || null };
}

/** How long Entra itself is told to keep the role; null: until Stint takes it away. */
export function builtInSeconds({ endsByItself, sessionSeconds }: EntraGrant): number | null {
  return endsByItself && sessionSeconds >= shortestScheduleSeconds ? sessionSeconds : null;
}

/** What the customer's audit log is to say of a role that Privileged Identity Management gives. */
export function whyGiven({ id, reason, ticket }: Pick<EntraGrant, 'id' | 'reason' | 'ticket'>): RoleReason {
  return { justification: reason === null ? `Stint grant ${id}` : `${reason} (Stint grant ${id})`, ticket };
}
