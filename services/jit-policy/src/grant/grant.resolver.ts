import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, ResolveReference } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { connection, notFound, pageRequest, type Id } from '@stint/kernel';
import type { Principal } from '@stint/contracts';
import { authorise, callerActor, Caller, Can, perRequest, type RequestContext } from '@stint/subgraph';
import type {
  DeviceGrantsArgs,
  EndAllOfTechnicianInput,
  EndGrantInput,
  ExtendGrantInput,
  ShortenGrantInput,
  TechnicianGrantsArgs,
  TenantGrantsArgs,
} from '../generated/graphql.ts';
import type { Grant } from './grant.domain.ts';
import { GrantEvidenceService } from './grant-evidence.service.ts';
import { GrantLifeService } from './grant-life.service.ts';
import { GrantService } from './grant.service.ts';
import { grantView } from './grant.view.ts';

/** Grants in GraphQL. */
@Resolver('Grant')
export class GrantResolver {
  constructor(
    private readonly grants: GrantService,
    private readonly life: GrantLifeService,
    private readonly evidence: GrantEvidenceService,
  ) {}

  @Query()
  @Can('grant.read')
  async grant(@Caller() caller: Principal, @Args('id') id: string) {
    return grantView(await this.grants.read(callerActor(caller), id));
  }

  // Nest hands a reference resolver (reference, context), as long as no parameter is decorated.
  @ResolveReference()
  @Can('grant.read', 'device')
  async resolveReference(reference: { id: string }, context: RequestContext) {
    return grantView(await this.grants.read(callerActor(context.principal), reference.id));
  }

  @ResolveField('evidence')
  evidenceOf(@Parent() grant: { id: string; technician: { id: string } }, @Context() { principal }: RequestContext) {
    const own = 'id' in principal && principal.id === grant.technician.id;
    return this.evidence.of(own ? callerActor(principal) : authorise(principal, 'grant.read'), grant.id);
  }

  @Mutation()
  @Can('login.approve')
  async extendGrant(@Caller() caller: Principal, @Args('input') input: ExtendGrantInput) {
    return grantView(await this.life.extend(callerActor(caller), input));
  }

  @Mutation()
  @Can('access.approve', 'grant.end')
  async shortenGrant(@Caller() caller: Principal, @Args('input') input: ShortenGrantInput) {
    return grantView(await this.life.shorten(callerActor(caller), input));
  }

  @Mutation()
  @Can('technician.write')
  async endAllOfTechnician(@Caller() caller: Principal, @Args('input') input: EndAllOfTechnicianInput) {
    const { grants, ...counts } = await this.life.endAll(callerActor(caller), input);
    return { __typename: 'EndedAll', grants: grants.map(grantView), ...counts };
  }

  @Mutation()
  @Can('grant.end', 'login.approve')
  async endGrant(@Caller() caller: Principal, @Args('input') input: EndGrantInput) {
    return grantView(await this.grants.end(callerActor(caller), input.id));
  }
}

/** The grants of a tenant. */
@Resolver('Tenant')
export class TenantGrantsResolver {
  constructor(private readonly grants: GrantService) {}

  @ResolveField('grants')
  list(@Parent() tenant: { id: Id }, @Args() args: TenantGrantsArgs, @Context() context: RequestContext) {
    return page(this.grants, 'tenant', tenant.id, args, context);
  }
}

/** The grants of a technician: everybody sees their own. */
@Resolver('Technician')
export class TechnicianGrantsResolver {
  constructor(private readonly grants: GrantService) {}

  @ResolveField('grants')
  list(@Parent() technician: { id: Id }, @Args() args: TechnicianGrantsArgs, @Context() context: RequestContext) {
    return page(this.grants, 'technician', technician.id, args, context);
  }
}

/** The grants on a device. */
@Resolver('Device')
export class DeviceGrantsResolver {
  constructor(private readonly grants: GrantService) {}

  @ResolveField('grants')
  list(@Parent() device: { id: Id }, @Args() args: DeviceGrantsArgs, @Context() context: RequestContext) {
    return page(this.grants, 'device', device.id, args, context);
  }
}

async function page(
  grants: GrantService,
  owner: 'tenant' | 'device' | 'technician',
  id: Id,
  args: { first?: number | null | undefined; after?: string | null | undefined },
  context: RequestContext,
) {
  const own = owner === 'technician' && 'id' in context.principal && context.principal.id === id;
  const actor = own ? callerActor(context.principal) : authorise(context.principal, 'grant.read');
  const request = pageRequest({ first: args.first ?? null, after: args.after ?? null });
  const loader = perRequest(
    context,
    `grants of ${own ? 'oneself' : owner} ${request.first} ${request.after ?? ''}`,
    () =>
      new DataLoader<string, Grant[]>(async (ids) => {
        const pages = await grants.pages(actor, owner, ids, request);
        return ids.map((one) => pages.get(one) ?? notFound(owner));
      }),
  );
  return connection((await loader.load(id)).map(grantView), request);
}
