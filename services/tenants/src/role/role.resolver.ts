import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { asSelf, type Principal } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, may, perRequest, type RequestContext } from '@stint/subgraph';
import type { MutationAssignRoleArgs, MutationRemoveRoleArgs } from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { Technician } from '../technician/technician.domain.ts';
import type { HeldRole } from './role.domain.ts';
import { RoleService } from './role.service.ts';

@Resolver('RoleAssignment')
export class RoleResolver {
  constructor(
    private readonly roles: RoleService,
    private readonly loaders: Loaders,
  ) {}

  @Mutation()
  @Can('technician.write')
  async assignRole(@Caller() caller: Principal, @Args() { input }: MutationAssignRoleArgs, @Context() context: RequestContext) {
    const { technicianId } = await this.roles.assign(callerActor(caller), input);
    return this.#technician(context, technicianId);
  }

  @Mutation()
  @Can('technician.write')
  async removeRole(@Caller() caller: Principal, @Args() { input }: MutationRemoveRoleArgs, @Context() context: RequestContext) {
    return this.#technician(context, await this.roles.remove(callerActor(caller), input.id));
  }

  @ResolveField()
  tenant(@Parent() held: HeldRole, @Context() context: RequestContext) {
    return this.loaders.maybe(context, 'tenant', held.tenantId);
  }

  async #technician(context: RequestContext, id: Id) {
    return { __typename: 'Technician', ...(await this.loaders.found(context, 'technician', id)) };
  }
}

/** The roles of a technician. */
@Resolver('Technician')
export class TechnicianRolesResolver {
  constructor(private readonly service: RoleService) {}

  @ResolveField('roles')
  async roles(@Parent() technician: Technician, @Context() context: RequestContext) {
    const { principal } = context;
    // Who joins is not signed in yet; who may not read technicians sees what they hold at home.
    if (principal.kind === 'anonymous') return [];
    const actor = may(principal, 'technician.read') ? authorise(principal, 'technician.read') : asSelf(callerActor(principal));
    const loader = perRequest(
      context,
      'roles',
      () =>
        new DataLoader<string, HeldRole[]>(async (ids) => {
          const held = await this.service.ofTechnicians(actor, ids);
          return ids.map((id) => held.filter(({ technicianId }) => technicianId === id));
        }),
    );
    return loader.load(technician.id);
  }
}
