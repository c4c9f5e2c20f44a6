import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Principal } from '@stint/contracts';
import { notFound, pageRequest, type Id } from '@stint/kernel';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { RotateLapsPasswordInput, TakeOverLapsAccountInput, TenantLapsAccountsArgs } from '../generated/graphql.ts';
import { AccountService, type ShownAccount } from './account.service.ts';
import { accountView } from './account.view.ts';

/** Break-glass accounts in GraphQL, for people. */
@Resolver('LapsAccount')
export class AccountResolver {
  constructor(private readonly accounts: AccountService) {}

  @Query()
  @Can('device.read')
  async lapsAccount(@Caller() caller: Principal, @Args('id') id: string) {
    return accountView(await this.accounts.read(callerActor(caller), id));
  }

  // Nest hands a reference resolver (reference, context), as long as no parameter is decorated.
  @ResolveReference()
  @Can('device.read')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return accountView(await this.accounts.read(callerActor(context.principal), reference.id));
  }

  @Mutation()
  @Can('laps.reveal', 'laps.manage')
  async rotateLapsPassword(@Caller() caller: Principal, @Args('input') input: RotateLapsPasswordInput) {
    return accountView(await this.accounts.rotate(callerActor(caller), input));
  }

  @Mutation()
  @Can('laps.manage')
  async takeOverLapsAccount(@Caller() caller: Principal, @Args('input') input: TakeOverLapsAccountInput) {
    return accountView(await this.accounts.takeOver(callerActor(caller), input.accountId, input.digest));
  }
}

/** The break-glass accounts of a tenant. */
@Resolver('Tenant')
export class TenantAccountsResolver {
  constructor(private readonly accounts: AccountService) {}

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: { id: Id }) {
    return { __typename: 'Tenant', id: reference.id };
  }

  @ResolveField()
  async lapsAccounts(@Parent() tenant: { id: Id }, @Args() args: TenantLapsAccountsArgs, @Context() { principal }: RequestContext) {
    const request = pageRequest({ first: args.first ?? null, after: args.after ?? null });
    const actor = authorise(principal, 'device.read');
    const { edges, pageInfo } = await this.accounts.page(actor, tenant.id, request, args.needsAttention === true);
    return { edges: edges.map(({ cursor, node }) => ({ cursor, node: accountView(node) })), pageInfo };
  }
}

/** The break-glass accounts on a device. */
@Resolver('Device')
export class DeviceAccountsResolver {
  constructor(private readonly accounts: AccountService) {}

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: { id: Id }) {
    return { __typename: 'Device', id: reference.id };
  }

  @ResolveField()
  async lapsAccounts(@Parent() device: { id: Id }, @Context() context: RequestContext) {
    const actor = authorise(context.principal, 'device.read');
    const loader = perRequest(
      context,
      'LAPS accounts of device',
      () =>
        new DataLoader<string, ShownAccount[]>(async (ids) => {
          const found = await this.accounts.ofDevices(actor, ids);
          return ids.map((id) => found.get(id) ?? notFound('device'));
        }),
    );
    return (await loader.load(device.id)).map(accountView);
  }
}
