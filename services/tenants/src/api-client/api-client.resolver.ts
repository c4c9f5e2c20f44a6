import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationCreateApiClientArgs, MutationRevokeApiClientArgs } from '../generated/graphql.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { ApiClientService } from './api-client.service.ts';

@Resolver('Tenant')
export class ApiClientResolver {
  constructor(private readonly clients: ApiClientService) {}

  @Mutation()
  @Can('client.write')
  async createApiClient(@Caller() caller: Principal, @Args() { input }: MutationCreateApiClientArgs) {
    return { __typename: 'ApiClient', ...(await this.clients.create(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('client.write')
  async revokeApiClient(@Caller() caller: Principal, @Args() { input }: MutationRevokeApiClientArgs) {
    return { __typename: 'ApiClient', ...(await this.clients.revoke(callerActor(caller), input.id)) };
  }

  @ResolveField('apiClients')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.clients.list(authorise(principal, 'client.write'), tenant.id, pageRequest(page));
  }
}
