import { Args, Context, Mutation, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type { DeviceDesiredStateArgs, ReportAccountsInput } from '../generated/graphql.ts';
import { DeviceStateService } from './device-state.service.ts';

interface Reference {
  __typename: 'Device';
  id: Id;
}

/** The desired-state side of `Device`. */
@Resolver('Device')
export class DeviceStateResolver {
  constructor(private readonly states: DeviceStateService) {}

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: Reference): Reference {
    return { __typename: 'Device', id: reference.id };
  }

  @ResolveField()
  desiredState(@Parent() device: Reference, @Args() args: DeviceDesiredStateArgs, @Context() context: RequestContext) {
    return this.states.desired(callerActor(context.principal), device.id, args.knownRevision ?? null);
  }

  @Mutation()
  @Can('device')
  async reportAccounts(@Caller() caller: Principal, @Args('input') input: ReportAccountsInput) {
    const revision = await this.states.report(callerActor(caller), input.revision, input.reports);
    return { __typename: 'ReportsTaken', revision };
  }
}

/** `Technician` belongs to services/tenants; here it is only pointed to. */
@Resolver('Technician')
export class TechnicianResolver {
  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: { id: Id }) {
    return { __typename: 'Technician', id: reference.id };
  }
}
