import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { asSelf, type Principal } from '@stint/contracts';
import { authorise, Caller, callerActor, Can, may, perRequest, type RequestContext } from '@stint/subgraph';
import type { MutationRegisterPasskeyArgs, MutationRemovePasskeyArgs } from '../generated/graphql.ts';
import type { Technician } from '../technician/technician.domain.ts';
import type { Passkey } from './passkey.domain.ts';
import { PasskeyService } from './passkey.service.ts';

@Resolver('Technician')
export class PasskeyResolver {
  constructor(private readonly service: PasskeyService) {}

  @Mutation()
  @Can('technician')
  async startPasskeyRegistration(@Caller() caller: Principal) {
    return { __typename: 'PasskeyRegistrationStarted', ...(await this.service.start(callerActor(caller))) };
  }

  @Mutation()
  @Can('technician')
  async registerPasskey(@Caller() caller: Principal, @Args() { input }: MutationRegisterPasskeyArgs) {
    return { __typename: 'Passkey', ...(await this.service.register(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician')
  async removePasskey(@Caller() caller: Principal, @Args() { input }: MutationRemovePasskeyArgs) {
    return { __typename: 'Technician', ...(await this.service.remove(callerActor(caller), input.id)) };
  }

  @ResolveField()
  passkeys(@Parent() technician: Technician, @Context() context: RequestContext) {
    const { principal } = context;
    const self = principal.kind === 'technician' && principal.id === technician.id;
    if (!self && !may(principal, 'technician.read')) return [];
    const actor = self ? asSelf(callerActor(principal)) : authorise(principal, 'technician.read');
    const loader = perRequest<Passkey[]>(
      context,
      self ? 'own passkeys' : 'passkeys',
      () =>
        new DataLoader<string, Passkey[]>(async (ids) => {
          const found = await this.service.ofTechnicians(actor, ids);
          return ids.map((id) => found.filter(({ technicianId }) => technicianId === id));
        }),
    );
    return loader.load(technician.id);
  }
}
