import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationRevokeDeviceArgs, MutationUpdateDeviceArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import type { Device } from './device.domain.ts';
import { DeviceService } from './device.service.ts';
import { Presence } from './presence.ts';

@Resolver('Device')
export class DeviceResolver {
  constructor(
    private readonly devices: DeviceService,
    private readonly presence: Presence,
    private readonly loaders: Loaders,
  ) {}

  @Query()
  @Can('device.read', 'device')
  device(@Args('id') id: string, @Context() context: RequestContext) {
    return this.loaders.found(context, 'device', id);
  }

  /** The id comes from the caller's proof; the database is asked only for what else the query wants. */
  @Query()
  @Can('device')
  thisDevice(@Context() context: RequestContext) {
    const actor = callerActor(context.principal);
    this.presence.note(actor);
    const row = () => this.loaders.found(context, 'device', actor.id);
    const field = (name: keyof Device) => async () => (await row())[name];
    return {
      ...{ id: actor.id, tenantId: actor.tenantId, hostName: field('hostName'), kind: field('kind'), platform: field('platform') },
      ...{
        active: field('active'),
        domain: field('domain'),
        tags: field('tags'),
        enrolledAt: field('enrolledAt'),
        lastSeenAt: field('lastSeenAt'),
      },
    };
  }

  @Mutation()
  @Can('device.write')
  async revokeDevice(@Caller() caller: Principal, @Args() { input }: MutationRevokeDeviceArgs) {
    return { __typename: 'Device', ...(await this.devices.revoke(callerActor(caller), input.id)) };
  }

  @Mutation()
  @Can('device.write')
  async updateDevice(@Caller() caller: Principal, @Args() { input }: MutationUpdateDeviceArgs) {
    return { __typename: 'Device', ...(await this.devices.update(callerActor(caller), input)) };
  }

  @ResolveField()
  tenant(@Parent() device: Device & { tenant?: Tenant | null }, @Context() context: RequestContext) {
    return device.tenant !== undefined ? device.tenant : this.loaders.maybe(context, 'tenant', device.tenantId);
  }

  @ResolveReference()
  @Can('device.read', 'device')
  resolveReference(reference: { id: string }, context: RequestContext) {
    return this.loaders.found(context, 'device', reference.id);
  }
}

@Resolver('Tenant')
export class TenantDevicesResolver {
  constructor(private readonly devices: DeviceService) {}

  @ResolveField('devices')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.devices.list(authorise(principal, 'device.read'), tenant.id, pageRequest(page));
  }
}
