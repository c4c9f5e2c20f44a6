import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { authorise, callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type {
  EntraBreakGlassFindingInput,
  RegisterEntraBreakGlassAccountInput,
  RemoveEntraBreakGlassAccountInput,
} from '../generated/graphql.ts';
import type { BreakGlassAccount } from './break-glass.domain.ts';
import { RegistrationService } from './registration.service.ts';

/** Break-glass accounts of Entra tenants in GraphQL. Their passwords are in the vault. */
@Resolver('EntraBreakGlassAccount')
export class BreakGlassResolver {
  constructor(private readonly registrations: RegistrationService) {}

  @Query()
  @Can('entra.manage')
  async entraBreakGlassFinding(@Caller() caller: Principal, @Args('input') input: EntraBreakGlassFindingInput) {
    return { __typename: 'EntraBreakGlassFinding', ...(await this.registrations.look(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('entra.manage')
  async registerEntraBreakGlassAccount(@Caller() caller: Principal, @Args('input') input: RegisterEntraBreakGlassAccountInput) {
    return view(await this.registrations.register(callerActor(caller), input));
  }

  @Mutation()
  @Can('entra.manage')
  async removeEntraBreakGlassAccount(@Caller() caller: Principal, @Args('input') input: RemoveEntraBreakGlassAccountInput) {
    return view(await this.registrations.remove(callerActor(caller), input));
  }

  // Nest hands a reference resolver (reference, context), as long as no parameter is decorated.
  @ResolveReference()
  @Can('entra.read')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return view(await this.registrations.read(callerActor(context.principal), reference.id));
  }
}

/** The break-glass accounts of a tenant's Entra tenant. */
@Resolver('Tenant')
export class TenantBreakGlassResolver {
  constructor(private readonly registrations: RegistrationService) {}

  @ResolveField()
  async entraBreakGlassAccounts(@Parent() tenant: { id: Id }, @Context() { principal }: RequestContext) {
    return (await this.registrations.ofTenant(authorise(principal, 'entra.read'), tenant.id)).map(view);
  }
}

function view({ id, tenantId, objectId, userPrincipalName, displayName, registered, registeredAt, problem, tampered }: BreakGlassAccount) {
  return {
    __typename: 'EntraBreakGlassAccount' as const,
    ...{ id, objectId, userPrincipalName, displayName, registered, registeredAt, problem, tampered },
    tenant: { __typename: 'Tenant' as const, id: tenantId },
    lapsAccount: { __typename: 'LapsAccount' as const, id },
  };
}
