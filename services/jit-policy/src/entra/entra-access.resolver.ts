import { Inject } from '@nestjs/common';
import { Args, Mutation, Resolver } from '@nestjs/graphql';
import type { Clock } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { callerActor, Caller, Can } from '@stint/subgraph';
import { accessRequestView } from '../access-request/access-request.view.ts';
import type { RequestEntraAccessInput } from '../generated/graphql.ts';
import { grantView } from '../grant/grant.view.ts';
import { CLOCK } from '../tokens.ts';
import { EntraAccessService } from './entra-access.service.ts';

/** Asking for access in Entra, in GraphQL. */
@Resolver()
export class EntraAccessResolver {
  constructor(
    private readonly service: EntraAccessService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Mutation()
  @Can('login.approve')
  async requestEntraAccess(@Caller() caller: Principal, @Args('input') input: RequestEntraAccessInput) {
    const { grant, request } = await this.service.ask(callerActor(caller), input);
    return {
      __typename: 'EntraAccessRequested',
      grant: grant === null ? null : grantView(grant),
      accessRequest: request === null ? null : accessRequestView(request, this.clock.now()),
    };
  }
}
