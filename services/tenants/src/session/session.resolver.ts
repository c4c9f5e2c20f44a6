import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Actor, Principal } from '@stint/contracts';
import { authorise, Caller, callerActor, Can, may, perRequest, type RequestContext } from '@stint/subgraph';
import type { MutationRevokeSessionArgs } from '../generated/graphql.ts';
import type { Technician } from '../technician/technician.domain.ts';
import type { Session } from './session.domain.ts';
import { SessionService } from './session.service.ts';

@Resolver('SignInSession')
export class SessionResolver {
  constructor(private readonly sessions: SessionService) {}

  @Mutation()
  @Can('technician', 'technician.write')
  async revokeSession(@Caller() caller: Principal, @Args() { input }: MutationRevokeSessionArgs) {
    return { __typename: 'SignInSession', ...(await this.sessions.revoke(callerActor(caller), input.id)) };
  }

  @ResolveField()
  current(@Parent() session: Session, @Context() { principal }: RequestContext) {
    return principal.kind === 'technician' && principal.sessionId === session.id;
  }
}

@Resolver('Viewer')
export class ViewerSessionsResolver {
  constructor(private readonly service: SessionService) {}

  @ResolveField('sessions')
  sessions(@Parent() viewer: { id: string }, @Context() { principal }: RequestContext) {
    return this.service.own(callerActor(principal));
  }
}

@Resolver('Technician')
export class TechnicianSessionsResolver {
  constructor(private readonly service: SessionService) {}

  @ResolveField('sessions')
  async sessions(@Parent() technician: Technician, @Context() context: RequestContext) {
    const { principal } = context;
    if (principal.kind === 'technician' && principal.id === technician.id) return this.service.own(principal);
    if (!may(principal, 'technician.write')) return [];
    return this.#loader(context, authorise(principal, 'technician.write')).load(technician.id);
  }

  #loader(context: RequestContext, actor: Actor): DataLoader<string, Session[]> {
    return perRequest(
      context,
      'sessions',
      () =>
        new DataLoader<string, Session[]>(async (ids) => {
          const found = await this.service.ofTechnicians(actor, ids);
          return ids.map((id) => found.filter(({ technicianId }) => technicianId === id));
        }),
    ) as DataLoader<string, Session[]>;
  }
}
