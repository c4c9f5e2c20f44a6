import { Args, Mutation, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { Caller, callerActor, Can } from '@stint/subgraph';
import type { MutationConfirmTotpArgs, MutationEnrollTotpArgs, MutationSubmitTotpCodeArgs } from '../generated/graphql.ts';
import { TotpService } from './totp.service.ts';

@Resolver()
export class TotpResolver {
  constructor(private readonly totp: TotpService) {}

  @Mutation()
  @Can('technician')
  async enrollTotp(@Caller() caller: Principal, @Args() { input }: MutationEnrollTotpArgs) {
    return { __typename: 'TotpEnrollment', ...(await this.totp.enroll(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('technician')
  async confirmTotp(@Caller() caller: Principal, @Args() { input }: MutationConfirmTotpArgs) {
    return { __typename: 'Technician', ...(await this.totp.confirm(callerActor(caller), input.code)) };
  }

  @Mutation()
  @Can('device')
  async submitTotpCode(@Caller() caller: Principal, @Args() { input }: MutationSubmitTotpCodeArgs) {
    return { __typename: 'TotpAccepted', loginRequestId: await this.totp.submit(callerActor(caller), input) };
  }
}
