import { Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Access, Actor, Principal } from '@stint/contracts';
import { Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import { Loaders } from './loaders.ts';

@Resolver('Viewer')
export class ViewerResolver {
  constructor(private readonly loaders: Loaders) {}

  @Query()
  @Can('technician', 'device', 'client')
  viewer(@Caller() caller: Principal) {
    const actor = callerActor(caller);
    return { ...actor, kind: actor.kind.toUpperCase(), access: 'access' in actor ? actor.access : [] };
  }

  @ResolveField()
  tenant(@Parent() viewer: Actor, @Context() context: RequestContext) {
    return this.loaders.maybe(context, 'tenant', viewer.tenantId);
  }

  @ResolveField()
  access(@Parent() viewer: { access: Access[] }, @Context() context: RequestContext) {
    return viewer.access.map(({ tenantId, permissions }) => ({ tenant: this.loaders.maybe(context, 'tenant', tenantId), permissions }));
  }

  @ResolveField()
  technician(@Parent() viewer: Actor, @Context() context: RequestContext) {
    return context.principal.kind === 'technician' ? this.loaders.maybe(context, 'technician', viewer.id) : null;
  }
}
