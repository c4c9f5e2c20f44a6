import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { connection, notFound, pageRequest, type Clock, type Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type { ApproveAccessInput, CancelAccessInput, DenyAccessInput, TenantAccessRequestsArgs } from '../generated/graphql.ts';
import { LoginService } from '../login/login.service.ts';
import { loginView } from '../login/login.view.ts';
import { CLOCK } from '../tokens.ts';
import type { AccessRequest } from './access-request.domain.ts';
import { AccessRequestService } from './access-request.service.ts';
import { accessRequestView } from './access-request.view.ts';
import { AccessRequestsService } from './access-requests.service.ts';

/** Access requests in GraphQL. */
@Resolver('AccessRequest')
export class AccessRequestResolver {
  constructor(
    private readonly service: AccessRequestService,
    private readonly requests: AccessRequestsService,
    private readonly logins: LoginService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Query()
  @Can('access.approve', 'login.approve', 'grant.read')
  async accessRequest(@Caller() caller: Principal, @Args('id') id: string) {
    return this.#view(await this.requests.read(callerActor(caller), id));
  }

  @ResolveReference()
  @Can('access.approve', 'login.approve', 'grant.read')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return this.#view(await this.requests.read(callerActor(context.principal), reference.id));
  }

  @ResolveField()
  async loginRequest(@Parent() request: { loginRequestId: Id | null }, @Context() context: RequestContext) {
    if (request.loginRequestId === null) return null;
    return loginView(await this.logins.read(callerActor(context.principal), request.loginRequestId));
  }

  @Mutation()
  @Can('access.approve')
  async approveAccess(@Caller() caller: Principal, @Args('input') input: ApproveAccessInput) {
    return this.#view(await this.service.approve(callerActor(caller), input));
  }

  @Mutation()
  @Can('access.approve')
  async denyAccess(@Caller() caller: Principal, @Args('input') input: DenyAccessInput) {
    return this.#view(await this.service.deny(callerActor(caller), input.id, input.reason));
  }

  @Mutation()
  @Can('login.approve')
  async cancelAccess(@Caller() caller: Principal, @Args('input') input: CancelAccessInput) {
    return this.#view(await this.service.cancel(callerActor(caller), input.id));
  }

  #view(request: AccessRequest) {
    return accessRequestView(request, this.clock.now());
  }
}

/** The access requests of a tenant. */
@Resolver('Tenant')
export class TenantAccessRequestsResolver {
  constructor(
    private readonly requests: AccessRequestsService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @ResolveField()
  async accessRequests(@Parent() tenant: { id: Id }, @Args() args: TenantAccessRequestsArgs, @Context() context: RequestContext) {
    const actor = authorise(context.principal, 'grant.read');
    const page = pageRequest({ first: args.first ?? null, after: args.after ?? null });
    const loader = perRequest(
      context,
      `access requests ${page.first} ${page.after ?? ''}`,
      () =>
        new DataLoader<string, AccessRequest[]>(async (ids) => {
          const pages = await this.requests.pages(actor, ids, page);
          return ids.map((one) => pages.get(one) ?? notFound('tenant'));
        }),
    );
    const now = this.clock.now();
    return connection(
      (await loader.load(tenant.id)).map((request) => accessRequestView(request, now)),
      page,
    );
  }
}
