import { Args, Mutation, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { callerActor, Caller, Can } from '@stint/subgraph';
import { accountView } from '../account/account.view.ts';
import { CheckOutService } from '../check-out/check-out.service.ts';
import type { CheckInLapsAccountInput, CheckOutLapsAccountInput, RevealLapsPasswordInput } from '../generated/graphql.ts';
import { RevealService, type Revealed } from './reveal.service.ts';

/** Reading passwords in GraphQL. */
@Resolver()
export class RevealResolver {
  constructor(
    private readonly reveals: RevealService,
    private readonly checkOuts: CheckOutService,
  ) {}

  @Mutation()
  @Can('laps.reveal')
  async revealLapsPassword(@Caller() caller: Principal, @Args('input') input: RevealLapsPasswordInput) {
    return view(await this.reveals.reveal(callerActor(caller), input));
  }

  @Mutation()
  @Can('laps.reveal')
  async checkOutLapsAccount(@Caller() caller: Principal, @Args('input') input: CheckOutLapsAccountInput) {
    return view(await this.reveals.checkOut(callerActor(caller), input));
  }

  @Mutation()
  @Can('laps.reveal', 'laps.manage')
  async checkInLapsAccount(@Caller() caller: Principal, @Args('input') input: CheckInLapsAccountInput) {
    return accountView(await this.checkOuts.checkIn(callerActor(caller), input.accountId));
  }
}

function view({ shown, candidates }: Revealed) {
  return { __typename: 'RevealedLapsPassword', account: accountView(shown), candidates };
}
