import { EntraCustomersDocument, EntraRolesDocument, type ApproverFragment, type EntraCustomersQuery } from '../generated/operations.ts';
import { ask } from '../graphql.ts';

/** A customer, as far as access in its Entra tenant goes. */
export type Customer = EntraCustomersQuery['tenants']['edges'][number]['node'];

/** Who asks, and the customers that are connected to Entra, by name. */
export async function readCustomers(): Promise<{ approver: ApproverFragment; customers: Customer[] }> {
  const all: Customer[] = [];
  for (let after: string | null = null; ;) {
    const { viewer, tenants }: EntraCustomersQuery = await ask(EntraCustomersDocument, { after });
    all.push(...tenants.edges.map(({ node }) => node));
    after = tenants.pageInfo.hasNextPage ? (tenants.pageInfo.endCursor ?? null) : null;
    if (after !== null) continue;
    const connected = all.filter(({ entraConnection }) => entraConnection != null);
    return { approver: viewer, customers: connected.sort((a, b) => a.name.localeCompare(b.name)) };
  }
}

/** Names of roles that access rules allow there: suggestions only, the server decides. */
export async function readRoleNames(tenantId: string): Promise<string[]> {
  const { viewer, tenant } = await ask(EntraRolesDocument, { tenantId });
  const rules = [viewer.tenant, tenant].flatMap((one) => one?.accessRules?.edges ?? []).map(({ node }) => node);
  const names = rules.filter(({ effect, enabled }) => effect === 'ALLOW' && enabled).flatMap(({ entraRoles }) => entraRoles);
  return [...new Set(names)].sort((a, b) => a.localeCompare(b));
}
