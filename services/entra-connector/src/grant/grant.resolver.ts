import { Args, Context, Mutation, Parent, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type { RenewEntraCredentialInput } from '../generated/graphql.ts';
import { GrantAccessService } from './grant-access.service.ts';
import { accessView, credentialView } from './grant.view.ts';

/** What access in Entra adds to grants, and its credential. */
@Resolver('Grant')
export class GrantResolver {
  constructor(private readonly access: GrantAccessService) {}

  @ResolveReference()
  @Can('technician', 'client', 'device')
  resolveReference(reference: { id: Id }) {
    return { __typename: 'Grant', id: reference.id };
  }

  @ResolveField()
  async entraCredential(@Parent() grant: { id: Id }, @Context() { principal }: RequestContext) {
    if (principal.kind !== 'technician') return null;
    const collected = await this.access.collect(callerActor(principal), grant.id);
    return collected === null ? null : credentialView(collected);
  }

  @ResolveField()
  async entraAccess(@Parent() grant: { id: Id }, @Context() { principal }: RequestContext) {
    const everywhere = callerActor(principal);
    const isOwn = (await this.access.technicianOf(everywhere, grant.id)) === everywhere.id;
    const shown = await this.access.access(isOwn ? everywhere : authorise(principal, 'grant.read'), grant.id);
    return shown === null ? null : accessView(shown);
  }

  @Mutation()
  @Can('technician')
  async renewEntraCredential(@Caller() caller: Principal, @Args('input') input: RenewEntraCredentialInput) {
    return { __typename: 'Grant', id: await this.access.renew(callerActor(caller), input) };
  }
}
