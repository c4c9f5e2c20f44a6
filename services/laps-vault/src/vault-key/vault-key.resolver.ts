import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { RotateVaultKeyInput } from '../generated/graphql.ts';
import { VaultKeyService, type ShownVaultKey } from './vault-key.service.ts';

/** `Tenant.vaultKey` and its change. Private halves have no field. */
@Resolver('Tenant')
export class VaultKeyResolver {
  constructor(private readonly keys: VaultKeyService) {}

  @ResolveField()
  async vaultKey(@Parent() tenant: { id: Id }, @Context() { principal }: RequestContext) {
    const shown = await this.keys.shown(authorise(principal, 'device.read'), tenant.id);
    return shown === null ? null : view(shown);
  }

  @Mutation()
  @Can('laps.manage')
  async rotateVaultKey(@Caller() caller: Principal, @Args('input') input: RotateVaultKeyInput) {
    return view(await this.keys.rotate(callerActor(caller), input.tenantId));
  }
}

function view({ key, behind }: ShownVaultKey) {
  return { __typename: 'VaultKey', id: key.id, publicKey: key.publicKey, createdAt: key.createdAt, behind };
}
