import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { connection, pageRequest } from '@stint/kernel';
import { authorise, callerActor, type RequestContext } from '@stint/subgraph';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { AuditService } from './audit.service.ts';

@Resolver('Tenant')
export class AuditResolver {
  constructor(private readonly log: AuditService) {}

  @ResolveField()
  async auditLog(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    authorise(principal, 'audit.read');
    const request = pageRequest(page);
    const events = await this.log.list(callerActor(principal), tenant.id, request);
    const nodes = events.map((event) => ({
      ...event,
      id: event.eventId,
      details: JSON.stringify(event.details),
      hash: event.hash.toString('hex'),
    }));
    return connection(nodes, request);
  }

  @ResolveField()
  verifyAuditLog(@Parent() tenant: Tenant, @Context() { principal }: RequestContext) {
    authorise(principal, 'audit.read');
    return this.log.verify(callerActor(principal), tenant.id);
  }
}
