import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationCreateGroupArgs, MutationSetGroupMembersArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import type { Group } from './group.domain.ts';
import { GroupService } from './group.service.ts';

@Resolver('Group')
export class GroupResolver {
  constructor(
    private readonly groups: GroupService,
    private readonly loaders: Loaders,
  ) {}

  @Query()
  @Can('technician.read')
  group(@Args('id') id: string, @Context() context: RequestContext) {
    return this.loaders.found(context, 'group', id);
  }

  @Mutation()
  @Can('technician.write')
  async createGroup(@Caller() caller: Principal, @Args() { input }: MutationCreateGroupArgs) {
    return { __typename: 'Group', ...(await this.groups.create(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician.write')
  async setGroupMembers(@Caller() caller: Principal, @Args() { input }: MutationSetGroupMembersArgs) {
    return { __typename: 'Group', ...(await this.groups.setMembers(callerActor(caller), input)) };
  }

  /** Members of the group whom the caller reaches. */
  @ResolveField()
  async members(@Parent() group: Group, @Context() context: RequestContext) {
    const ids = await this.groups.memberIds(authorise(context.principal, 'technician.read'), group.id);
    const members = await Promise.all(ids.map((id) => this.loaders.maybe(context, 'technician', id)));
    return members.filter((member) => member !== null);
  }

  @ResolveReference()
  @Can('technician.read')
  resolveReference(reference: { id: string }, context: RequestContext) {
    return this.loaders.found(context, 'group', reference.id);
  }
}

@Resolver('Tenant')
export class TenantGroupsResolver {
  constructor(private readonly groups: GroupService) {}

  @ResolveField('groups')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.groups.list(authorise(principal, 'technician.read'), tenant.id, pageRequest(page));
  }
}
