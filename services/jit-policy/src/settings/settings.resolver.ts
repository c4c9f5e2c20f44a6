import { Args, Context, Mutation, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { notFound, type Id } from '@stint/kernel';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { Principal } from '@stint/contracts';
import type { UpdateJitSettingsInput } from '../generated/graphql.ts';
import type { EffectiveSettings } from './settings.domain.ts';
import { SettingsService } from './settings.service.ts';

interface Reference {
  __typename: 'Tenant';
  id: Id;
}

/** The settings side of `Tenant`. */
@Resolver('Tenant')
export class SettingsResolver {
  constructor(private readonly settings: SettingsService) {}

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: Reference): Reference {
    return { __typename: 'Tenant', id: reference.id };
  }

  @ResolveField()
  async jitSettings(@Parent() tenant: Reference, @Context() context: RequestContext) {
    authorise(context.principal, 'settings.read');
    const actor = callerActor(context.principal);
    const loader = perRequest(
      context,
      'jit-settings',
      () =>
        new DataLoader<string, EffectiveSettings>(async (ids) => {
          const effective = await this.settings.effective(actor, ids);
          return ids.map((id) => effective.get(id) ?? notFound('tenant'));
        }),
    );
    return shown(await loader.load(tenant.id));
  }

  @Mutation()
  @Can('settings.write')
  async updateJitSettings(@Caller() caller: Principal, @Args('input') input: UpdateJitSettingsInput): Promise<Reference> {
    const { tenantId, ...patch } = input;
    await this.settings.change(callerActor(caller), tenantId, patch);
    return { __typename: 'Tenant', id: tenantId };
  }
}

/** Settings as GraphQL has them: where one is set is a `Tenant`. */
function shown(effective: EffectiveSettings) {
  return Object.fromEntries(
    Object.entries(effective).map(([name, { value, source, setOn }]) => [
      name,
      { value, source, setOn: setOn === null ? null : { __typename: 'Tenant', id: setOn } },
    ]),
  );
}
