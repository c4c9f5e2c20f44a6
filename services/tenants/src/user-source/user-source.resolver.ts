import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationResolveSourceConflictArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { SourceConflictService, type SourceConflict } from './source-conflict.service.ts';

@Resolver('SourceConflict')
export class SourceConflictResolver {
  constructor(
    private readonly conflicts: SourceConflictService,
    private readonly loaders: Loaders,
  ) {}

  @Mutation()
  @Can('technician.write')
  async resolveSourceConflict(
    @Caller() caller: Principal,
    @Args() { input }: MutationResolveSourceConflictArgs,
    @Context() context: RequestContext,
  ) {
    const linked = await this.conflicts.resolve(callerActor(caller), input);
    const technician = linked === null ? null : await this.loaders.maybe(context, 'technician', linked);
    return { __typename: 'SourceConflictResolved', technician };
  }

  /** Null where the caller does not reach them. */
  @ResolveField()
  technician(@Parent() conflict: SourceConflict, @Context() context: RequestContext) {
    return conflict.holderId === null ? null : this.loaders.maybe(context, 'technician', conflict.holderId);
  }
}

@Resolver('Tenant')
export class TenantSourceConflictsResolver {
  constructor(private readonly conflicts: SourceConflictService) {}

  @ResolveField('sourceConflicts')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.conflicts.list(authorise(principal, 'technician.read'), tenant.id, pageRequest(page));
  }
}
