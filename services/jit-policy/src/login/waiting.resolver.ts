import { Inject } from '@nestjs/common';
import { Parent, Query, ResolveField, Resolver, Context } from '@nestjs/graphql';
import type { Clock } from '@stint/kernel';
import { narrowed, type Permission } from '@stint/contracts';
import { Can, may, type RequestContext } from '@stint/subgraph';
import { accessRequestView } from '../access-request/access-request.view.ts';
import { AccessRequestsService } from '../access-request/access-requests.service.ts';
import { CLOCK } from '../tokens.ts';
import { loginView } from './login.view.ts';
import { PromptService } from './prompt.service.ts';

/** What waits for the caller, in GraphQL. */
@Resolver('Waiting')
export class WaitingResolver {
  constructor(
    private readonly prompts: PromptService,
    private readonly requests: AccessRequestsService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Query()
  @Can('login.approve', 'access.approve')
  waiting() {
    return {};
  }

  @ResolveField()
  async logins(@Parent() _waiting: object, @Context() context: RequestContext) {
    const actor = technicianWith(context, 'login.approve');
    return actor === null ? [] : (await this.prompts.waitingFor(actor)).map(loginView);
  }

  @ResolveField()
  async accessRequests(@Parent() _waiting: object, @Context() context: RequestContext) {
    const actor = technicianWith(context, 'access.approve');
    const now = this.clock.now();
    return actor === null ? [] : (await this.requests.waitingFor(actor)).map((request) => accessRequestView(request, now));
  }
}

/** The calling technician, narrowed to where they hold the permission; null for anybody else. */
function technicianWith({ principal }: RequestContext, permission: Permission) {
  return principal.kind === 'technician' && may(principal, permission) ? narrowed(principal, [permission]) : null;
}
