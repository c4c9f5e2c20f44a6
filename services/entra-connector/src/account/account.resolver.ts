import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { pageRequest, type Id } from '@stint/kernel';
import { authorise, type RequestContext } from '@stint/subgraph';
import type { TenantEntraAccountsArgs } from '../generated/graphql.ts';
import { AccountService } from './account.service.ts';

/** The accounts that Stint has made in a tenant's Entra tenant. */
@Resolver('Tenant')
export class TenantAccountsResolver {
  constructor(private readonly accounts: AccountService) {}

  @ResolveField()
  async entraAccounts(@Parent() tenant: { id: Id }, @Args() args: TenantEntraAccountsArgs, @Context() { principal }: RequestContext) {
    const request = pageRequest({ first: args.first ?? null, after: args.after ?? null });
    const { edges, pageInfo } = await this.accounts.page(authorise(principal, 'entra.read'), tenant.id, request);
    const view = ({ technicianId, ...account }: (typeof edges)[number]['node']) => ({
      ...account,
      technician: technicianId === null ? null : { __typename: 'Technician', id: technicianId },
    });
    return { edges: edges.map(({ cursor, node }) => ({ cursor, node: view(node) })), pageInfo };
  }
}
