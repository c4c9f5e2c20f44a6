import { Args, Context, Mutation, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationRemovePushSubscriptionArgs, MutationSavePushSubscriptionArgs } from '../generated/graphql.ts';
import type { PushSubscription } from './push.domain.ts';
import { PushService } from './push.service.ts';

@Resolver('Viewer')
export class PushResolver {
  constructor(private readonly service: PushService) {}

  @Query()
  @Can('technician')
  pushPublicKey() {
    return this.service.publicKey;
  }

  @Mutation()
  @Can('technician')
  async savePushSubscription(@Caller() caller: Principal, @Args() { input }: MutationSavePushSubscriptionArgs) {
    return { __typename: 'PushSubscription', ...view(await this.service.save(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician')
  async removePushSubscription(@Caller() caller: Principal, @Args() { input }: MutationRemovePushSubscriptionArgs) {
    return { __typename: 'PushSubscriptionRemoved', id: await this.service.remove(callerActor(caller), input.id) };
  }

  @ResolveField()
  async pushSubscriptions(@Context() { principal }: RequestContext) {
    return (await this.service.own(callerActor(principal))).map(view);
  }
}

/** The address and its keys stay here: whoever has them can write to the browser. */
function view({ id, endpoint, createdAt }: PushSubscription) {
  return { id, service: new URL(endpoint).host, createdAt };
}
