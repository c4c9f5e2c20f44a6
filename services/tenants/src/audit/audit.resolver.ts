import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { connection, pageRequest } from '@stint/kernel';
import { authorise, type RequestContext } from '@stint/subgraph';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { AuditService } from './audit.service.ts';

@Resolver('Tenant')
export class AuditResolver {
  constructor(private readonly log: AuditService) {}

  @ResolveField()
  async auditLog(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    const request = pageRequest(page);
    const events = await this.log.list(authorise(principal, 'audit.read'), tenant.id, request);
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
    return this.log.verify(authorise(principal, 'audit.read'), tenant.id);
  }
}
