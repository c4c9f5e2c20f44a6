import { stateOf } from './account.domain.ts';
import type { ShownAccount } from './account.service.ts';

/** A break-glass account as GraphQL has it. */
export function accountView({ account, standing, overdue }: ShownAccount) {
  const { id, kind, name, problem, finding, takeOver, confirmedAt, revealedAt } = account;
  const out = standing.checkOut;
  return {
    __typename: 'LapsAccount' as const,
    ...{ id, kind, name, problem, confirmedAt, revealedAt, overdue, versions: standing.versions },
    state: stateOf(account, standing.unsure),
    device: account.deviceId === null ? null : { __typename: 'Device' as const, id: account.deviceId },
    tenant: { __typename: 'Tenant' as const, id: account.tenantId },
    finding: finding === null || takeOver === finding.digest ? null : finding,
    dueAt: earlier(account.dueAt, account.rotateAt),
    checkedOutBy: out === null ? null : { __typename: 'Technician' as const, id: out.technicianId },
    checkedOutUntil: out?.until ?? null,
  };
}

function earlier(one: Date | null, other: Date | null): Date | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}
