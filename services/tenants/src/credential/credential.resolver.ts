import { Args, Query, Resolver } from '@nestjs/graphql';
import { Can } from '@stint/subgraph';
import { accessOfCredential } from './credential.domain.ts';
import { CredentialService } from './credential.service.ts';

/** For the gateway's token endpoint: whose key is this, and what may they do. */
@Resolver('Credential')
export class CredentialResolver {
  constructor(private readonly credentials: CredentialService) {}

  @Query()
  @Can('gateway')
  async credential(@Args('id') id: string) {
    const credential = await this.credentials.find(id);
    return credential === null ? null : { ...credential, access: accessOfCredential(credential) };
  }
}
