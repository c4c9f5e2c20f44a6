import { Args, Context, Mutation, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { connection, notFound, pageRequest, type Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { Principal } from '@stint/contracts';
import type { UpdateJitSettingsInput, UpdateLapsSettingsInput } from '../generated/graphql.ts';
import { apiName, isLaps, settingNames, type SettingName, type SettingsPatch } from './settings.domain.ts';
import { SettingsService, type ShownSettings } from './settings.service.ts';

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
    return view(await this.#shown(context, tenant.id), (name) => !isLaps(name));
  }

  @ResolveField()
  async lapsSettings(@Parent() tenant: Reference, @Context() context: RequestContext) {
    const shown = await this.#shown(context, tenant.id);
    return { ...view(shown, isLaps), passwordEntropyBits: shown.passwordBits };
  }

  @ResolveField()
  async settingsHistory(
    @Parent() tenant: Reference,
    @Args() page: { first?: number | null; after?: string | null },
    @Context() { principal }: RequestContext,
  ) {
    const actor = authorise(principal, 'settings.read');
    const request = pageRequest(page);
    const changes = await this.settings.history(actor, tenant.id, request);
    const nodes = changes.map((change) => ({
      ...change,
      technician: change.actorKind === 'technician' && change.reached ? { __typename: 'Technician', id: change.actorId } : null,
      old: change.old === null ? null : JSON.stringify(change.old),
      new: change.new === null ? null : JSON.stringify(change.new),
    }));
    return connection(nodes, request);
  }

  @Mutation()
  @Can('settings.write')
  async updateJitSettings(@Caller() caller: Principal, @Args('input') input: UpdateJitSettingsInput): Promise<Reference> {
    const { tenantId, ...patch } = input;
    await this.settings.change(callerActor(caller), tenantId, patch);
    return { __typename: 'Tenant', id: tenantId };
  }

  @Mutation()
  @Can('settings.write')
  async updateLapsSettings(@Caller() caller: Principal, @Args('input') input: UpdateLapsSettingsInput): Promise<Reference> {
    const { tenantId, ...given } = input;
    const values = new Map(Object.entries(given));
    const patch = Object.fromEntries(settingNames.filter(isLaps).map((name) => [name, values.get(apiName(name))])) as SettingsPatch;
    await this.settings.change(callerActor(caller), tenantId, patch);
    return { __typename: 'Tenant', id: tenantId };
  }

  #shown(context: RequestContext, tenantId: Id): Promise<ShownSettings> {
    const actor = authorise(context.principal, 'settings.read');
    const loader = perRequest(
      context,
      'settings',
      () =>
        new DataLoader<string, ShownSettings>(async (ids) => {
          const shown = await this.settings.shown(actor, ids);
          return ids.map((id) => shown.get(id) ?? notFound('tenant'));
        }),
    );
    return loader.load(tenantId);
  }
}

/** Settings as GraphQL has them: where one is set is a `Tenant`, if the caller reaches it. */
function view({ effective, problems, reached }: ShownSettings, wanted: (name: SettingName) => boolean) {
  return Object.fromEntries(
    settingNames.filter(wanted).map((name) => {
      const { value, source, setOn } = effective[name];
      const groups =
        name === 'lapsReaderGroups'
          ? { groups: effective[name].value.map((id) => (reached.has(id) ? { __typename: 'Group', id } : null)) }
          : {};
      const tenant = setOn === null || !reached.has(setOn) ? null : { __typename: 'Tenant', id: setOn };
      return [apiName(name), { value, source, setOn: tenant, problem: problems[name] ?? null, ...groups }];
    }),
  );
}
