import type { Id } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';
import type { EvidenceContent, EvidencePerson, EvidenceProof } from '@stint/evidence';
import type { AccessRequest } from '../access-request/access-request.domain.ts';
import type { DeviceCopy, TechnicianCopy, TenantCopy } from '../directory/directory.domain.ts';
import type { LoginRequest } from '../login/login.domain.ts';
import type { Grant, GrantChange } from './grant.domain.ts';

/** Everything that a grant's record tells of. */
export interface EvidenceSources {
  grant: Grant;
  login: LoginRequest;
  /** Null when the rule demanded nobody else. */
  request: AccessRequest | null;
  changes: readonly GrantChange[];
  tenant: TenantCopy;
  device: DeviceCopy;
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

/** The record of a grant. Who and where carry the names that they have now; what was shown and signed keeps its own. */
export function evidenceContentOf({ grant, login, request, changes, tenant, device, people }: EvidenceSources): EvidenceContent {
  const named = (id: Id) => people.get(id)?.displayName ?? null;
  return {
    format: 'stint-grant-evidence/1',
    grant: {
      id: grant.id,
      state: grant.state,
      accountName: grant.accountName,
      reason: grant.reason,
      ticket: grant.ticket,
      approvedAt: grant.approvedAt.toISOString(),
      approvedSeconds: login.sessionSeconds,
    },
    technician: personOf(people, grant.technicianId),
    tenant: { id: tenant.id, name: tenant.name },
    device: { id: device.id, hostName: device.hostName },
    login: {
      id: login.id,
      method: login.method,
      shownNumber: login.shownNumber,
      hostName: login.hostName,
      tenantName: login.tenantName,
      startedAt: login.startedAt.toISOString(),
    },
    rule: {
      id: grant.ruleId,
      name: grant.ruleName,
      maxSeconds: grant.ruleMaxSeconds,
      approvals: request?.needed ?? 0,
      approverGroupId: request?.approverGroupId ?? null,
    },
    approval: proofOf(grant.approval),
    secondApprovals: (request?.approvals ?? []).map(({ approverId, sessionSeconds, approvedAt, proof }) => ({
      approver: personOf(people, approverId),
      sessionSeconds,
      approvedAt: approvedAt.toISOString(),
      proof: proofOf(proof),
    })),
    session: {
      activeAt: instant(grant.activeAt),
      expiresAt: instant(grant.expiresAt),
      endingAt: instant(grant.endingAt),
      endedAt: instant(grant.endedAt),
      endReason: grant.endReason,
      endedBy: grant.endedBy === null ? null : { ...grant.endedBy, displayName: named(grant.endedBy.id) },
      failure: grant.failure,
      idleEndSeconds: grant.idleEndSeconds,
    },
    changes: changes.map(({ id, seconds, at, by }) => ({
      ...{ id, seconds, at: at.toISOString() },
      by: by === null ? null : { id: by, displayName: named(by) },
    })),
    privilegedChanges: grant.privilegedChanges.map(({ groupName, added, removed }) => ({ groupName, added, removed })),
  };
}

function personOf(people: ReadonlyMap<Id, TechnicianCopy>, id: Id): EvidencePerson {
  const person = people.get(id);
  return { id, displayName: person?.displayName ?? '', email: person?.email ?? '' };
}

function proofOf(proof: ApprovalProof | null): EvidenceProof {
  return proof ?? { by: 'unsigned' };
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
