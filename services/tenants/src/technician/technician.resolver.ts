import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, may, type RequestContext } from '@stint/subgraph';
import type {
  MutationInviteTechnicianArgs,
  MutationRedeemInvitationArgs,
  MutationStartJoiningArgs,
  MutationUpdateTechnicianArgs,
} from '../generated/graphql.ts';
import { GroupService } from '../group/group.service.ts';
import { Loaders } from '../loaders.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { JoiningService } from './joining.service.ts';
import type { Technician } from './technician.domain.ts';
import { TechnicianService } from './technician.service.ts';

@Resolver('Technician')
export class TechnicianResolver {
  constructor(
    private readonly technicians: TechnicianService,
    private readonly joining: JoiningService,
    private readonly groupsOf: GroupService,
    private readonly loaders: Loaders,
  ) {}

  @Query()
  @Can('technician.read')
  technician(@Args('id') id: string, @Context() context: RequestContext) {
    return this.loaders.found(context, 'technician', id);
  }

  @Mutation()
  @Can('technician.write')
  async inviteTechnician(@Caller() caller: Principal, @Args() { input }: MutationInviteTechnicianArgs) {
    return { __typename: 'Invitation', ...(await this.technicians.invite(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('anyone')
  async startJoining(@Args() { input }: MutationStartJoiningArgs) {
    return { __typename: 'JoiningStarted', ...(await this.joining.start(input)) };
  }

  @Mutation()
  @Can('anyone')
  async redeemInvitation(@Args() { input }: MutationRedeemInvitationArgs) {
    return { __typename: 'SignUp', ...(await this.joining.redeem(input)) };
  }

  @Mutation()
  @Can('technician.write')
  async updateTechnician(@Caller() caller: Principal, @Args() { input }: MutationUpdateTechnicianArgs) {
    return { __typename: 'Technician', ...(await this.technicians.update(callerActor(caller), input)) };
  }

  @ResolveField()
  tenant(@Parent() technician: Technician & { tenant?: Tenant | null }, @Context() context: RequestContext) {
    if (technician.tenant !== undefined) return technician.tenant;
    return this.loaders.maybe(context, 'tenant', technician.tenantId);
  }

  @ResolveField()
  groups(@Parent() technician: Technician, @Context() context: RequestContext) {
    return may(context.principal, 'technician.read')
      ? this.groupsOf.ofTechnician(authorise(context.principal, 'technician.read'), technician.id)
      : [];
  }

  @ResolveReference()
  @Can('technician.read')
  resolveReference(reference: { id: string }, context: RequestContext) {
    return this.loaders.found(context, 'technician', reference.id);
  }
}

@Resolver('Tenant')
export class TenantTechniciansResolver {
  constructor(private readonly technicians: TechnicianService) {}

  @ResolveField('technicians')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.technicians.list(authorise(principal, 'technician.read'), tenant.id, pageRequest(page));
  }
}
