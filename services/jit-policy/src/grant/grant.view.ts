import { extendableUntil, warnAt, type Grant } from './grant.domain.ts';

/** A grant as GraphQL has it. */
export function grantView(grant: Grant) {
  const { id, state, accountName, reason, ticket, approvedAt, activeAt, expiresAt, endedAt, endReason, failure } = grant;
  return {
    __typename: 'Grant' as const,
    id,
    state,
    accountName,
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
    device: { __typename: 'Device' as const, id: grant.deviceId },
  };
}
