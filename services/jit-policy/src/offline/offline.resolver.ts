import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type { ReportOfflineLoginsInput } from '../generated/graphql.ts';
import { OfflineAccessService } from './offline-access.service.ts';
import { OfflineLoginService } from './offline-login.service.ts';

/** Logins without us in GraphQL. */
@Resolver('Device')
export class OfflineResolver {
  constructor(
    private readonly access: OfflineAccessService,
    private readonly logins: OfflineLoginService,
  ) {}

  @ResolveField()
  async offlineAccess(@Parent() device: { id: Id }, @Context() context: RequestContext) {
    const access = await this.access.of(callerActor(context.principal), device.id);
    return access.map((one) => ({ __typename: 'OfflineAccess' as const, ...one }));
  }

  @Mutation()
  @Can('device')
  async reportOfflineLogins(@Caller() caller: Principal, @Args('input') input: ReportOfflineLoginsInput) {
    const revision = await this.logins.report(callerActor(caller), input.logins, input.locks ?? []);
    return { __typename: 'ReportsTaken', revision };
  }
}
