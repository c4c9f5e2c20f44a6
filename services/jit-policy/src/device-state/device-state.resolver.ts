import { Args, Context, Mutation, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { notFound, type Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { DeviceDesiredStateArgs, ReportAccountsInput, ReportStrayAccountsInput } from '../generated/graphql.ts';
import { DeviceStateService } from './device-state.service.ts';
import type { StrayAccount } from './report.domain.ts';

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

  @ResolveField()
  strayAccounts(@Parent() device: Reference, @Context() context: RequestContext) {
    const actor = authorise(context.principal, 'device.read');
    const loader = perRequest(
      context,
      'stray accounts',
      () =>
        new DataLoader<string, StrayAccount[]>(async (ids) => {
          const strays = await this.states.straysOf(actor, ids);
          return ids.map((id) => strays.get(id) ?? notFound('device'));
        }),
    );
    return loader.load(device.id);
  }

  @Mutation()
  @Can('device')
  async reportStrayAccounts(@Caller() caller: Principal, @Args('input') input: ReportStrayAccountsInput) {
    return { __typename: 'ReportsTaken', revision: await this.states.reportStrays(callerActor(caller), input.strays) };
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
