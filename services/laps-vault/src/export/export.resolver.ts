import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { authorise, callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type { ExportVaultInput, SetOfflineKeyInput } from '../generated/graphql.ts';
import { ExportService } from './export.service.ts';

/** Emergency exports in GraphQL. */
@Resolver('Tenant')
export class ExportResolver {
  constructor(private readonly exports: ExportService) {}

  @ResolveField()
  offlineKey(@Parent() tenant: { id: Id }, @Context() { principal }: RequestContext) {
    return this.exports.offlineKey(authorise(principal, 'device.read'), tenant.id);
  }

  @Mutation()
  @Can('laps.manage')
  async setOfflineKey(@Caller() caller: Principal, @Args('input') input: SetOfflineKeyInput) {
    return { __typename: 'Tenant', id: await this.exports.setOfflineKey(callerActor(caller), input) };
  }

  @Mutation()
  @Can('laps.manage')
  async exportVault(@Caller() caller: Principal, @Args('input') input: ExportVaultInput) {
    return { __typename: 'VaultExport', ...(await this.exports.page(callerActor(caller), input)) };
  }
}
