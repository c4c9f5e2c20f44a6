import type { Id } from '@stint/kernel';
import { groupStub } from '../access-rule/access-rule.view.ts';
import type { AccessRequest } from './access-request.domain.ts';

/** An access request as GraphQL has it; one whose time is over is EXPIRED whether or not a sweep has run. */
export function accessRequestView(request: AccessRequest, now: Date) {
  const { id, reason, ticket, sessionSeconds, ruleName, needed, requestedAt, expiresAt, endedAt, endedWhy } = request;
  const overdue = request.state === 'PENDING' && now >= expiresAt;
  return {
    __typename: 'AccessRequest' as const,
    ...{ id, reason, ticket, sessionSeconds, ruleName, needed, requestedAt, expiresAt, endedAt, endedWhy },
    state: overdue ? ('EXPIRED' as const) : request.state,
    requester: technicianStub(request.technicianId),
    device: { __typename: 'Device' as const, id: request.deviceId },
    tenant: { __typename: 'Tenant' as const, id: request.tenantId },
    approverGroup: request.approverGroupId === null ? null : groupStub(request.approverGroupId),
    approvals: request.approvals.map((one) => ({
      approver: technicianStub(one.approverId),
      at: one.approvedAt,
      sessionSeconds: one.sessionSeconds,
    })),
    endedBy: request.endedBy === null ? null : technicianStub(request.endedBy),
    loginRequestId: request.loginRequestId,
  };
}

function technicianStub(id: Id) {
  return { __typename: 'Technician' as const, id };
}
