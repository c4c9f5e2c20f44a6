import { extendableUntil, warnAt, type Grant } from './grant.domain.ts';

/** A grant as GraphQL has it. */
export function grantView(grant: Grant) {
  const { id, state, target, reason, ticket, approvedAt, activeAt, expiresAt, endedAt, endReason, failure } = grant;
  return {
    __typename: 'Grant' as const,
    id,
    state,
    accountName: target.accountName,
    reason,
    ticket,
    approvedAt,
    activeAt,
    expiresAt,
    endedAt,
    endReason,
    failure,
    endedBy: grant.endedBy?.kind === 'technician' ? { __typename: 'Technician' as const, id: grant.endedBy.id } : null,
    warnAt: warnAt(grant),
    extendableUntil: extendableUntil(grant),
    privilegedChanges: [...grant.privilegedChanges],
    technician: { __typename: 'Technician' as const, id: grant.technicianId },
    tenant: { __typename: 'Tenant' as const, id: grant.tenantId },
    device: target.kind === 'DEVICE' ? { __typename: 'Device' as const, id: target.deviceId } : null,
    entraRole: target.kind === 'ENTRA' ? target.roleName : null,
    entraScope: target.kind === 'ENTRA' ? target.scope : null,
    entraAccountKind: target.kind === 'ENTRA' ? target.accountKind : null,
  };
}
