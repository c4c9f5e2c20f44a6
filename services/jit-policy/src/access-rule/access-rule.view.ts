import type { AccessRule } from './access-rule.domain.ts';

/** A group as GraphQL has it: services/tenants knows its name, and whether the caller may see it. */
export function groupStub(id: string) {
  return { __typename: 'Group' as const, id };
}

/** An access rule as GraphQL has it. */
export function ruleView(rule: AccessRule) {
  const { mspId: _, tenantId, groups, approverGroup, hours, ...shown } = rule;
  return {
    __typename: 'AccessRule' as const,
    ...shown,
    tenant: { __typename: 'Tenant' as const, id: tenantId },
    groups: groups.map(groupStub),
    approverGroup: approverGroup === null ? null : groupStub(approverGroup),
    hours: hours.ranges,
    timeZone: hours.timeZone,
  };
}
