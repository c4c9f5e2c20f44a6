import type { Id } from '@stint/kernel';
import { isOfEntra } from '@stint/contracts';
import { groupStub } from '../access-rule/access-rule.view.ts';
import type { AccessRequest } from './access-request.domain.ts';

/** An access request as GraphQL has it; one whose time is over is EXPIRED whether or not a sweep has run. */
export function accessRequestView(request: AccessRequest, now: Date) {
  const { id, reason, ticket, sessionSeconds, ruleName, needed, requestedAt, expiresAt, endedAt, endedWhy } = request;
  const { target } = request;
  const overdue = request.state === 'PENDING' && now >= expiresAt;
  return {
    __typename: 'AccessRequest' as const,
    ...{ id, reason, ticket, sessionSeconds, ruleName, needed, requestedAt, expiresAt, endedAt, endedWhy },
    state: overdue ? ('EXPIRED' as const) : request.state,
    requester: technicianStub(request.technicianId),
    device: target.kind === 'LOGIN' ? { __typename: 'Device' as const, id: target.deviceId } : null,
    entra: entraView(request),
    tenant: { __typename: 'Tenant' as const, id: request.tenantId },
    approverGroup: request.approverGroupId === null ? null : groupStub(request.approverGroupId),
    approvals: request.approvals.map((one) => ({
      approver: technicianStub(one.approverId),
      at: one.approvedAt,
      sessionSeconds: one.sessionSeconds,
    })),
    endedBy: request.endedBy === null ? null : technicianStub(request.endedBy),
    loginRequestId: target.kind === 'LOGIN' ? target.loginRequestId : null,
  };
}

/** As it was signed. */
function entraView({ target, proof }: AccessRequest) {
  if (target.kind !== 'ENTRA' || proof === null || !isOfEntra(proof.content)) return null;
  const { tenantName, roleName, scope, accountKind, recipientKey } = proof.content;
  return { tenantName, roleName, scope, accountKind, recipientKey };
}

function technicianStub(id: Id) {
  return { __typename: 'Technician' as const, id };
}
