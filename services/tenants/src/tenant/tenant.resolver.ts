import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationCreateTenantArgs, MutationRenameTenantArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from './tenant.domain.ts';
import { TenantService } from './tenant.service.ts';

@Resolver('Tenant')
export class TenantResolver {
  constructor(
    private readonly tenants: TenantService,
    private readonly loaders: Loaders,
  ) {}

  @Query()
  @Can('tenant.read')
  tenant(@Args('id') id: string, @Context() context: RequestContext) {
    return this.loaders.found(context, 'tenant', id);
  }

  @Query('tenants')
  @Can('tenant.read')
  list(@Caller() caller: Principal, @Args() page: PageArguments) {
    return this.tenants.list(callerActor(caller), pageRequest(page));
  }

  @Mutation()
  @Can('tenant.write')
  async createTenant(@Caller() caller: Principal, @Args() { input }: MutationCreateTenantArgs) {
    return { __typename: 'Tenant', ...(await this.tenants.create(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('tenant.write')
  async renameTenant(@Caller() caller: Principal, @Args() { input }: MutationRenameTenantArgs) {
    return { __typename: 'Tenant', ...(await this.tenants.rename(callerActor(caller), input)) };
  }

  /** Null where the caller does not reach it. */
  @ResolveField()
  parent(@Parent() tenant: Tenant, @Context() context: RequestContext) {
    return tenant.parentId === null ? null : this.loaders.maybe(context, 'tenant', tenant.parentId);
  }

  @ResolveReference()
  @Can('tenant.read', 'device')
  resolveReference(reference: { id: string }, context: RequestContext) {
    return this.loaders.found(context, 'tenant', reference.id);
  }
}
