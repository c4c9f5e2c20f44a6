import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { authorise, Caller, callerActor, Can, may, type RequestContext } from '@stint/subgraph';
import type {
  MutationApproveRecoveryArgs,
  MutationCancelRecoveryArgs,
  MutationRedeemRecoveryArgs,
  MutationStartRecoveryArgs,
} from '../generated/graphql.ts';
import { Loaders } from '../loaders.ts';
import type { Technician } from '../technician/technician.domain.ts';
import type { Recovery } from './recovery.domain.ts';
import { RecoveryRedemptionService } from './recovery-redemption.service.ts';
import { RecoveryService } from './recovery.service.ts';

@Resolver('Recovery')
export class RecoveryResolver {
  constructor(
    private readonly service: RecoveryService,
    private readonly redemption: RecoveryRedemptionService,
    private readonly loaders: Loaders,
  ) {}

  @Mutation()
  @Can('technician.write')
  async startRecovery(@Caller() caller: Principal, @Args() { input }: MutationStartRecoveryArgs) {
    return { __typename: 'Recovery', ...(await this.service.start(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician.write')
  async approveRecovery(@Caller() caller: Principal, @Args() { input }: MutationApproveRecoveryArgs) {
    return { __typename: 'ApprovedRecovery', ...(await this.service.approve(callerActor(caller), input.id)) };
  }

  @Mutation()
  @Can('technician.write')
  async cancelRecovery(@Caller() caller: Principal, @Args() { input }: MutationCancelRecoveryArgs) {
    return { __typename: 'Recovery', ...(await this.service.cancel(callerActor(caller), input.id)) };
  }

  @Mutation()
  @Can('anyone')
  async redeemRecovery(@Args() { input }: MutationRedeemRecoveryArgs) {
    return { __typename: 'SignUp', ...(await this.redemption.redeem(input)) };
  }

  @ResolveField()
  technician(@Parent() recovery: Recovery, @Context() context: RequestContext) {
    return this.loaders.maybe(context, 'technician', recovery.technicianId);
  }

  @ResolveField()
  startedBy(@Parent() recovery: Recovery, @Context() context: RequestContext) {
    return this.loaders.maybe(context, 'technician', recovery.startedBy);
  }
}

@Resolver('Technician')
export class TechnicianRecoveryResolver {
  constructor(private readonly service: RecoveryService) {}

  @ResolveField()
  recovery(@Parent() technician: Technician, @Context() { principal }: RequestContext) {
    return may(principal, 'technician.read') ? this.service.openOf(authorise(principal, 'technician.read'), technician.id) : null;
  }
}
