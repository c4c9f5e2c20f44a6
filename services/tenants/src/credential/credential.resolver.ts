import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import type { Principal } from '@stint/contracts';
import { Caller, callerActor, Can } from '@stint/subgraph';
import type { MutationRotateCredentialArgs } from '../generated/graphql.ts';
import { accessOfCredential } from './credential.domain.ts';
import { CredentialService } from './credential.service.ts';

/** For the gateway's token endpoint: whose key is this, and what may they do. And keys are changed here by who holds them. */
@Resolver('Credential')
export class CredentialResolver {
  constructor(private readonly credentials: CredentialService) {}

  @Query()
  @Can('gateway')
  async credential(@Args('id') id: string) {
    const credential = await this.credentials.find(id);
    return credential === null ? null : { ...credential, access: accessOfCredential(credential) };
  }

  @Mutation()
  @Can('device', 'client')
  async rotateCredential(@Caller() caller: Principal, @Args() { input }: MutationRotateCredentialArgs) {
    return { __typename: 'CredentialRotation', ...(await this.credentials.rotate(callerActor(caller), input)) };
  }

  @Mutation()
  @Can('gateway')
  async settleCredential(@Args('id') id: string) {
    await this.credentials.settle(id);
    return true;
  }
}
