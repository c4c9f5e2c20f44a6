import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { notFound, pageRequest, Refusal, type Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type {
  ApplyUserSourceReadingInput,
  DiscardUserSourceReadingInput,
  PreviewUserSourceInput,
  SwitchUserSourceOffInput,
  SyncUserSourceInput,
  TenantEntraGroupsArgs,
  UserSourceReadingChangesArgs,
} from '../generated/graphql.ts';
import type { ChosenGroup } from './person.domain.ts';
import type { FoundChange, Reading, UserSource } from './source.domain.ts';
import { UserSourceService, type ShownSource } from './user-source.service.ts';

/** A tenant's user source. */
@Resolver('Tenant')
export class UserSourceResolver {
  constructor(private readonly service: UserSourceService) {}

  @ResolveField()
  async userSource(@Parent() tenant: { id: Id }, @Context() { principal }: RequestContext) {
    const source = await this.service.read(authorise(principal, 'entra.read'), tenant.id);
    return source === null ? null : sourceView(source);
  }

  @ResolveField()
  async entraGroups(
    @Parent() tenant: { id: Id },
    @Args() { startingWith }: TenantEntraGroupsArgs,
    @Context() { principal }: RequestContext,
  ) {
    return this.service.search(authorise(principal, 'entra.manage'), tenant.id, startingWith);
  }

  @Query()
  @Can('entra.read')
  async userSourceReading(@Caller() caller: Principal, @Args('id') id: string) {
    const reading = await this.service.reading(callerActor(caller), id);
    if (reading === null) throw new Refusal('NOT_FOUND', notFound('reading').message);
    return readingView(reading);
  }

  @Mutation()
  @Can('entra.manage')
  async previewUserSource(@Caller() caller: Principal, @Args('input') input: PreviewUserSourceInput) {
    return readingView(await this.service.preview(callerActor(caller), input));
  }

  @Mutation()
  @Can('entra.manage')
  async applyUserSourceReading(@Caller() caller: Principal, @Args('input') { id }: ApplyUserSourceReadingInput) {
    return this.#tenant(await this.service.apply(callerActor(caller), id));
  }

  @Mutation()
  @Can('entra.manage')
  async discardUserSourceReading(@Caller() caller: Principal, @Args('input') { id }: DiscardUserSourceReadingInput) {
    return this.#tenant(await this.service.discard(callerActor(caller), id));
  }

  @Mutation()
  @Can('entra.manage')
  async syncUserSource(@Caller() caller: Principal, @Args('input') { tenantId, full }: SyncUserSourceInput) {
    return this.#tenant(await this.service.sync(callerActor(caller), tenantId, full ?? false));
  }

  @Mutation()
  @Can('entra.manage')
  async switchUserSourceOff(@Caller() caller: Principal, @Args('input') { tenantId, people }: SwitchUserSourceOffInput) {
    return this.#tenant(await this.service.switchOff(callerActor(caller), tenantId, people));
  }

  #tenant({ tenantId }: UserSource) {
    return { __typename: 'Tenant', id: tenantId };
  }
}

/** Who would be changed by a reading. */
@Resolver('UserSourceReading')
export class UserSourceReadingResolver {
  constructor(private readonly service: UserSourceService) {}

  @ResolveField()
  async changes(
    @Parent() { reading }: { reading: Reading },
    @Args() page: UserSourceReadingChangesArgs,
    @Context() context: RequestContext,
  ) {
    const request = pageRequest({ first: page.first ?? null, after: page.after ?? null });
    const { edges, pageInfo } = await this.service.changes(authorise(context.principal, 'entra.read'), reading, request);
    return { edges: edges.map(({ cursor, node }) => ({ cursor, node: changeView(node) })), pageInfo };
  }
}

function sourceView(source: ShownSource) {
  const { tenantId, leaving, on, people, lastSyncAt, dueAt, problem, readings } = source;
  const of = (purpose: Reading['purpose']) => readings.find((reading) => reading.purpose === purpose);
  const [preview, sync] = [of('PREVIEW'), of('SYNC')];
  return {
    ...{ id: tenantId, state: leaving !== null ? 'SWITCHING_OFF' : on ? 'ON' : 'OFF', people, lastSyncAt, problem },
    ...{ nextSyncAt: on ? dueAt : null, groups: source.groups.map((group) => groupView(group, sync)) },
    preview: preview === undefined ? null : readingView(preview),
    held: sync?.state === 'WAITING' ? readingView(sync) : null,
  };
}

function readingView(reading: Reading) {
  const { id, purpose, state, startedAt, heldBecause, counts } = reading;
  return {
    ...{ __typename: 'UserSourceReading', id, purpose, state, startedAt, heldBecause, reading },
    tenant: { __typename: 'Tenant', id: reading.tenantId },
    groups: reading.groups.map((group) => groupView(group, reading)),
    counts:
      counts === null
        ? null
        : {
            ...{ added: counts.ADDED, changed: counts.CHANGED, switchedOff: counts.LEAVES, switchedOn: counts.RETURNS },
            ...{ unchanged: counts.SAME, skipped: counts.SKIPPED, conflicts: counts.conflicts },
          },
  };
}

/** `reading`: the one that may have found the group gone. */
function groupView({ groupId, label, technicianGroupId, role }: ChosenGroup, reading: Reading | undefined) {
  const missing = reading?.missing.includes(groupId) ?? false;
  return { groupId, name: label, technicianGroup: { __typename: 'Group', id: technicianGroupId }, role, missing };
}

const kinds = {
  ADDED: 'ADDED',
  CHANGED: 'CHANGED',
  LEAVES: 'SWITCHED_OFF',
  RETURNS: 'SWITCHED_ON',
  SKIPPED: 'SKIPPED',
  SAME: 'SAME',
} as const;

function changeView({ groupIds, kind, ...change }: FoundChange) {
  return { ...change, kind: kinds[kind], technicianGroups: groupIds.map((id) => ({ __typename: 'Group', id })) };
}
