import { Args, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '@stint/kernel';
import { narrowed, type Principal } from '@stint/contracts';
import { callerActor, Caller, Can } from '@stint/subgraph';
import { groupStub } from '../access-rule/access-rule.view.ts';
import type { QueryExplainAccessArgs } from '../generated/graphql.ts';
import { ExplanationService } from './explanation.service.ts';

/** Explanations of access in GraphQL. */
@Resolver()
export class ExplanationResolver {
  constructor(private readonly explanations: ExplanationService) {}

  @Query()
  @Can('access-rule.read', 'technician')
  async explainAccess(@Caller() caller: Principal, @Args() args: QueryExplainAccessArgs) {
    const actor = callerActor(caller);
    const technicianId = args.technicianId ?? null;
    if (technicianId === null && actor.kind !== 'technician')
      throw new Refusal('MALFORMED', 'Say whose access is to be explained: technicianId.');
    const own = actor.kind === 'technician' && (technicianId ?? actor.id) === actor.id;
    const { decision, defaultSeconds } = await this.explanations.explain(own ? actor : narrowed(actor, ['access-rule.read']), {
      technicianId,
      kind: args.kind,
      deviceId: args.deviceId ?? null,
      tenantId: args.tenantId ?? null,
      entraRole: args.entraRole ?? null,
      at: args.at == null ? null : new Date(args.at),
    });
    const { considered, approverGroupId, ...shown } = decision;
    return {
      __typename: 'AccessExplanation' as const,
      ...shown,
      defaultSeconds,
      approverGroup: approverGroupId === null ? null : groupStub(approverGroupId),
      considered: considered.map(({ tenantId, ...rule }) => ({ ...rule, tenant: { __typename: 'Tenant' as const, id: tenantId } })),
    };
  }
}
