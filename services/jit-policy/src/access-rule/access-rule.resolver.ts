import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { connection, notFound, pageRequest, type Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { CreateAccessRuleInput, RemoveAccessRuleInput, TenantAccessRulesArgs, UpdateAccessRuleInput } from '../generated/graphql.ts';
import type { AccessRule } from './access-rule.domain.ts';
import { AccessRuleService } from './access-rule.service.ts';
import { ruleView } from './access-rule.view.ts';

/** Access rules in GraphQL. */
@Resolver('AccessRule')
export class AccessRuleResolver {
  constructor(private readonly rules: AccessRuleService) {}

  @Query()
  @Can('access-rule.read')
  async accessRule(@Caller() caller: Principal, @Args('id') id: string) {
    return ruleView(await this.rules.read(callerActor(caller), id));
  }

  @ResolveReference()
  @Can('access-rule.read')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return ruleView(await this.rules.read(callerActor(context.principal), reference.id));
  }

  @Mutation()
  @Can('access-rule.write')
  async createAccessRule(@Caller() caller: Principal, @Args('input') input: CreateAccessRuleInput) {
    const { id, tenantId, ...rule } = input;
    return ruleView(await this.rules.create(callerActor(caller), id, tenantId, rule));
  }

  @Mutation()
  @Can('access-rule.write')
  async updateAccessRule(@Caller() caller: Principal, @Args('input') input: UpdateAccessRuleInput) {
    const { id, ...change } = input;
    return ruleView(await this.rules.change(callerActor(caller), id, change));
  }

  @Mutation()
  @Can('access-rule.write')
  async removeAccessRule(@Caller() caller: Principal, @Args('input') input: RemoveAccessRuleInput) {
    const { id } = await this.rules.remove(callerActor(caller), input.id);
    return { __typename: 'AccessRuleRemoved', id };
  }
}

/** The access rules set on a tenant. */
@Resolver('Tenant')
export class TenantAccessRulesResolver {
  constructor(private readonly rules: AccessRuleService) {}

  @ResolveField()
  async accessRules(@Parent() tenant: { id: Id }, @Args() args: TenantAccessRulesArgs, @Context() context: RequestContext) {
    const actor = authorise(context.principal, 'access-rule.read');
    const page = pageRequest({ first: args.first ?? null, after: args.after ?? null });
    const loader = perRequest(
      context,
      `access rules ${page.first} ${page.after ?? ''}`,
      () =>
        new DataLoader<string, AccessRule[]>(async (ids) => {
          const pages = await this.rules.pages(actor, ids, page);
          return ids.map((one) => pages.get(one) ?? notFound('tenant'));
        }),
    );
    return connection((await loader.load(tenant.id)).map(ruleView), page);
  }
}
