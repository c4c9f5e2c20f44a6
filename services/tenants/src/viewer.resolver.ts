import { Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Actor, Principal } from '@stint/contracts';
import { Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import { Loaders } from './loaders.ts';

@Resolver('Viewer')
export class ViewerResolver {
  constructor(private readonly loaders: Loaders) {}

  @Query()
  @Can('technician', 'device', 'client')
  viewer(@Caller() caller: Principal) {
    const actor = callerActor(caller);
    return { ...actor, kind: actor.kind.toUpperCase(), permissions: 'permissions' in actor ? actor.permissions : [] };
  }

  @ResolveField()
  tenant(@Parent() viewer: Actor, @Context() context: RequestContext) {
    return this.loaders.maybe(context, 'tenant', viewer.tenantId);
  }

  @ResolveField()
  technician(@Parent() viewer: Actor, @Context() context: RequestContext) {
    return context.principal.kind === 'technician' ? this.loaders.maybe(context, 'technician', viewer.id) : null;
  }
}
