import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Clock, Id } from '@stint/kernel';
import { narrowed, type Principal } from '@stint/contracts';
import { callerActor, Caller, Can, may, perRequest, type RequestContext } from '@stint/subgraph';
import { sessionSecondsBy, type Decision } from '../access/access.domain.ts';
import { ExplanationService } from '../access/explanation.service.ts';
import type { AccessRequest } from '../access-request/access-request.domain.ts';
import { accessRequestView } from '../access-request/access-request.view.ts';
import { AccessRequestsService } from '../access-request/access-requests.service.ts';
import type { ApproveLoginInput } from '../generated/graphql.ts';
import { CLOCK } from '../tokens.ts';
import { ApprovalService } from './approval.service.ts';
import type { LoginMethod, LoginState } from './login.domain.ts';
import { loginView } from './login.view.ts';

interface Shown {
  id: Id;
  method: LoginMethod;
  state: LoginState;
  shownNumber: string;
  sessionSeconds: number;
  device: { id: Id };
}

/** The approval side of login requests in GraphQL. */
@Resolver('LoginRequest')
export class ApprovalResolver {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly explanations: ExplanationService,
    private readonly requests: AccessRequestsService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Mutation()
  @Can('login.approve')
  async approveLogin(@Caller() caller: Principal, @Args('input') input: ApproveLoginInput) {
    return loginView(await this.approvals.approve(callerActor(caller), input));
  }

  /** Who is asked on the phone must have read the number at the computer: until then it is shown there only. */
  @ResolveField()
  shownNumber(@Parent() login: Shown, @Context() context: RequestContext) {
    return login.method === 'PUSH' && login.state === 'PENDING' && context.principal.kind !== 'device' ? null : login.shownNumber;
  }

  /** What the rules demand of the calling technician; null for anybody else. */
  @ResolveField()
  async demands(@Parent() login: Shown, @Context() context: RequestContext) {
    if (context.principal.kind !== 'technician' || !may(context.principal, 'login.approve')) return null;
    const actor = narrowed(context.principal, ['login.approve']);
    const loader = perRequest(
      context,
      'login demands',
      () => new DataLoader<Id, Decision | null>((ids) => this.explanations.demands(actor, ids)),
    );
    const decision = await loader.load(login.device.id);
    if (decision === null) return null;
    const { allowed, why, ruleName, requireReason, requireTicket, approvals, maxSeconds } = decision;
    const defaultSeconds = sessionSecondsBy(decision, null, login.sessionSeconds);
    return { denied: allowed ? null : why, ruleName, requireReason, requireTicket, approvals, maxSeconds, defaultSeconds };
  }

  @ResolveField()
  async accessRequest(@Parent() login: Shown, @Context() context: RequestContext) {
    const actor = callerActor(context.principal);
    const loader = perRequest(
      context,
      'access requests of logins',
      () =>
        new DataLoader<Id, AccessRequest | null>(async (ids) => {
          const found = await this.requests.ofLogins(actor, ids);
          return ids.map((id) => found.get(id) ?? null);
        }),
    );
    const request = await loader.load(login.id);
    return request === null ? null : accessRequestView(request, this.clock.now());
  }
}
