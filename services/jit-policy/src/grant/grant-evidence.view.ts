import type { Id } from '@stint/kernel';
import { isOfEntra, type ApprovalProof } from '@stint/contracts';
import type { DeviceEvidence, EntraEvidence, EntraProof, EvidencePerson, LoginProof } from '@stint/evidence';
import type { AccessRequest } from '../access-request/access-request.domain.ts';
import type { DeviceCopy, TechnicianCopy, TenantCopy } from '../directory/directory.domain.ts';
import { signedForEntra } from '../entra/entra-access.domain.ts';
import type { LoginRequest } from '../login/login.domain.ts';
import type { DeviceGrant, EntraGrant, Grant, GrantChange } from './grant.domain.ts';

/** What every record tells of. */
export interface EvidenceSources<One extends Grant = Grant> {
  grant: One;
  /** Null when the rule demanded nobody else. */
  request: AccessRequest | null;
  changes: readonly GrantChange[];
  tenant: TenantCopy;
  /** All technicians who are named, by id. */
  people: ReadonlyMap<Id, TechnicianCopy>;
}

/** The technicians whom a grant's record names. */
export function peopleOf({ grant, request, changes }: Pick<EvidenceSources, 'grant' | 'request' | 'changes'>): Id[] {
  const ids = [
    grant.technicianId,
    ...(grant.endedBy?.kind === 'technician' ? [grant.endedBy.id] : []),
    ...(request?.approvals ?? []).map(({ approverId }) => approverId),
    ...changes.flatMap(({ by }) => (by === null ? [] : [by])),
  ];
  return [...new Set(ids)];
}

/** The record of a grant on a device. Who and where carry the names that they have now; what was shown and signed keeps its own. */
export function deviceEvidence(sources: EvidenceSources<DeviceGrant>, login: LoginRequest, device: DeviceCopy): DeviceEvidence {
  const { grant } = sources;
  return {
    format: 'stint-grant-evidence/1',
    ...common(sources),
    grant: { ...grantPart(grant, login.sessionSeconds), accountName: grant.target.accountName },
    device: { id: device.id, hostName: device.hostName },
    login: {
      id: login.id,
      method: login.method,
      shownNumber: login.shownNumber,
      hostName: login.hostName,
      tenantName: login.tenantName,
      startedAt: login.startedAt.toISOString(),
    },
    approval: loginProof(grant.approval),
    secondApprovals: secondApprovals(sources, loginProof),
    session: { ...sessionPart(sources), idleEndSeconds: grant.target.idleEndSeconds },
    privilegedChanges: grant.privilegedChanges.map(({ groupName, added, removed }) => ({ groupName, added, removed })),
  };
}

/** The same of a grant in Entra. */
export function entraEvidence(sources: EvidenceSources<EntraGrant>): EntraEvidence {
  const { grant, request } = sources;
  const { durationSeconds, tenantName, roleName, scope, accountKind, recipientKey } = signedForEntra(grant.approval);
  const at = (request?.requestedAt ?? grant.approvedAt).toISOString();
  return {
    format: 'stint-entra-evidence/1',
    ...common(sources),
    grant: { ...grantPart(grant, request?.sessionSeconds ?? durationSeconds), accountName: grant.target.accountName },
    asked: { at, tenantName, roleName, scope, accountKind, recipientKey },
    approval: entraProof(grant.approval),
    secondApprovals: secondApprovals(sources, entraProof),
    session: sessionPart(sources),
  };
}

function common({ grant, request, changes, tenant, people }: EvidenceSources) {
  return {
    technician: personOf(people, grant.technicianId),
    tenant: { id: tenant.id, name: tenant.name },
    rule: {
      id: grant.ruleId,
      name: grant.ruleName,
      maxSeconds: grant.ruleMaxSeconds,
      approvals: request?.needed ?? 0,
      approverGroupId: request?.approverGroupId ?? null,
    },
    changes: changes.map(({ id, seconds, at, by }) => ({
      ...{ id, seconds, at: at.toISOString() },
      by: by === null ? null : { id: by, displayName: people.get(by)?.displayName ?? null },
    })),
  };
}

function grantPart({ id, state, reason, ticket, approvedAt }: Grant, approvedSeconds: number) {
  return { id, state, reason, ticket, approvedAt: approvedAt.toISOString(), approvedSeconds };
}

function sessionPart({ grant, people }: EvidenceSources) {
  const { endedBy } = grant;
  return {
    activeAt: instant(grant.activeAt),
    expiresAt: instant(grant.expiresAt),
    endingAt: instant(grant.endingAt),
    endedAt: instant(grant.endedAt),
    endReason: grant.endReason,
    endedBy: endedBy === null ? null : { ...endedBy, displayName: people.get(endedBy.id)?.displayName ?? null },
    failure: grant.failure,
  };
}

function secondApprovals<Proof>({ request, people }: EvidenceSources, proofOf: (proof: ApprovalProof) => Proof) {
  return (request?.approvals ?? []).map(({ approverId, sessionSeconds, approvedAt, proof }) => ({
    approver: personOf(people, approverId),
    sessionSeconds,
    approvedAt: approvedAt.toISOString(),
    proof: proofOf(proof),
  }));
}

function personOf(people: ReadonlyMap<Id, TechnicianCopy>, id: Id): EvidencePerson {
  const person = people.get(id);
  return { id, displayName: person?.displayName ?? '', email: person?.email ?? '' };
}

function loginProof(proof: ApprovalProof | null): LoginProof {
  if (proof === null) return { by: 'unsigned' };
  const { content } = proof;
  if (isOfEntra(content)) throw new Error('A login was approved by the signature of something else.');
  return { ...proof, content };
}

function entraProof(proof: ApprovalProof | null): EntraProof {
  return proof === null ? { by: 'unsigned' } : { ...proof, content: signedForEntra(proof) };
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
