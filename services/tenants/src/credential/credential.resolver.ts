import { Args, Query, Resolver } from '@nestjs/graphql';
import { isId } from '@stint/kernel';
import { Can } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { permissionsOf } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';

/** For the gateway's token endpoint: whose key is this, and what may they do. Across MSPs, hence as the system. */
@Resolver('Credential')
export class CredentialResolver {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly credentials: CredentialRepository,
  ) {}

  @Query()
  @Can('gateway')
  async credential(@Args('id') id: string) {
    if (!isId(id)) return null;
    const credential = await this.tenancy.asSystem((tx) => this.credentials.findActive(tx, id));
    return credential === null ? null : { ...credential, permissions: permissionsOf(credential) };
  }
}
