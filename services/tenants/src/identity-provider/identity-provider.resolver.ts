import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { MutationRemoveIdentityProviderArgs, MutationSetIdentityProviderArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import type { IdentityProvider } from './identity-provider.domain.ts';
import { IdentityProviderService } from './identity-provider.service.ts';

@Resolver('Tenant')
export class IdentityProviderResolver {
  constructor(
    private readonly service: IdentityProviderService,
    private readonly loaders: Loaders,
  ) {}

  @Mutation()
  @Can('technician.write')
  async setIdentityProvider(@Caller() caller: Principal, @Args() { input }: MutationSetIdentityProviderArgs) {
    return { __typename: 'IdentityProvider', ...view(await this.service.set(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician.write')
  async removeIdentityProvider(
    @Caller() caller: Principal,
    @Args() { input }: MutationRemoveIdentityProviderArgs,
    @Context() context: RequestContext,
  ) {
    const tenantId = await this.service.remove(callerActor(caller), input.tenantId);
    return { __typename: 'Tenant', ...(await this.loaders.found(context, 'tenant', tenantId)) };
  }

  @ResolveField()
  async identityProvider(@Parent() tenant: Tenant, @Context() { principal }: RequestContext) {
    const provider = await this.service.ofTenant(authorise(principal, 'technician.read'), tenant.id);
    return provider === null ? null : view(provider);
  }
}

/** What people may see of it: never a secret. */
function view({ id, issuer, clientId, clientJwk, passkeyToo, required }: IdentityProvider) {
  return { id, issuer, clientId, clientPublicKey: clientJwk === null ? null : JSON.stringify(clientJwk), passkeyToo, required };
}
