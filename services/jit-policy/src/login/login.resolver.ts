import { Args, Mutation, Query, Resolver, ResolveReference } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { callerActor, Caller, Can, type RequestContext } from '@stint/subgraph';
import type { CancelLoginInput, DenyLoginInput, StartLoginInput } from '../generated/graphql.ts';
import { ApprovalService } from './approval.service.ts';
import { LoginService } from './login.service.ts';
import { loginView } from './login.view.ts';

/** Login requests in GraphQL. */
@Resolver('LoginRequest')
export class LoginResolver {
  constructor(
    private readonly logins: LoginService,
    private readonly approvals: ApprovalService,
  ) {}

  @Query()
  @Can('login.approve')
  async loginRequestByCode(@Caller() caller: Principal, @Args('code') code: string) {
    return loginView(await this.logins.readByCode(callerActor(caller), code));
  }

  @Query()
  @Can('device', 'login.approve', 'grant.read')
  async loginRequest(@Caller() caller: Principal, @Args('id') id: string) {
    return loginView(await this.logins.read(callerActor(caller), id));
  }

  // Nest hands a reference resolver (reference, context), as long as no parameter is decorated.
  @ResolveReference()
  @Can('device', 'login.approve', 'grant.read')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return loginView(await this.logins.read(callerActor(context.principal), reference.id));
  }

  @Mutation()
  @Can('device')
  async startLogin(@Caller() caller: Principal, @Args('input') input: StartLoginInput) {
    const { login, qrPayload } = await this.logins.start(callerActor(caller), input);
    return { __typename: 'StartedLogin', loginRequest: loginView(login), qrPayload };
  }

  @Mutation()
  @Can('device')
  async cancelLogin(@Caller() caller: Principal, @Args('input') input: CancelLoginInput) {
    return loginView(await this.logins.cancel(callerActor(caller), input.id));
  }

  @Mutation()
  @Can('login.approve')
  async denyLogin(@Caller() caller: Principal, @Args('input') input: DenyLoginInput) {
    return loginView(await this.approvals.deny(callerActor(caller), input));
  }
}
