import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { pageRequest } from '@stint/kernel';
import { authorise, Caller, callerActor, Can, type RequestContext } from '@stint/subgraph';
import type {
  MutationEnrollDeviceArgs,
  MutationIssueEnrollmentTokenArgs,
  MutationRevokeEnrollmentTokenArgs,
} from '../generated/graphql.ts';
import type { PageArguments } from '../page-arguments.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { EnrollmentService } from './enrollment.service.ts';

@Resolver('Tenant')
export class EnrollmentResolver {
  constructor(private readonly enrollment: EnrollmentService) {}

  @Mutation()
  @Can('device.write')
  async issueEnrollmentToken(@Caller() caller: Principal, @Args() { input }: MutationIssueEnrollmentTokenArgs) {
    return { __typename: 'IssuedEnrollmentToken', ...(await this.enrollment.issue(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('device.write')
  async revokeEnrollmentToken(@Caller() caller: Principal, @Args() { input }: MutationRevokeEnrollmentTokenArgs) {
    return { __typename: 'EnrollmentToken', ...(await this.enrollment.revoke(callerActor(caller), input.id)) };
  }

  @Mutation()
  @Can('anyone')
  async enrollDevice(@Args() { input }: MutationEnrollDeviceArgs) {
    return { __typename: 'DeviceEnrollment', ...(await this.enrollment.enroll(input)) };
  }

  @ResolveField('enrollmentTokens')
  list(@Parent() tenant: Tenant, @Args() page: PageArguments, @Context() { principal }: RequestContext) {
    return this.enrollment.list(authorise(principal, 'device.read'), tenant.id, pageRequest(page));
  }
}
