import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { EntraAccess, type EntraDirectory, type Urgency } from '../graph/directory.port.ts';
import { graphDirectory } from '../graph/graph.directory.ts';
import { GraphTransport } from '../graph/graph.transport.ts';
import { credentialError } from '../graph/token-failure.domain.ts';
import { CLOCK } from '../tokens.ts';
import { ConnectionRepository } from './connection.repository.ts';
import type { EntraConnection } from './connection.domain.ts';
import type { Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';
import { Keyring } from './keyring.service.ts';

/** The way to the Entra tenant of a tenant, with the credential that is in use now. */
@Injectable()
export class EntraAccessService extends EntraAccess {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly connections: ConnectionRepository,
    private readonly credentials: CredentialRepository,
    private readonly keyring: Keyring,
    private readonly graph: GraphTransport,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
  }

  async of(mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    const { connection, inUse } = await this.tenancy.asSystem(async (tx) => ({
      connection: await this.connections.find(tx, mspId, tenantId),
      inUse: (await this.credentials.of(tx, mspId, tenantId)).find(({ state }) => state === 'IN_USE'),
    }));
    if (connection === null || connection.state === 'DISCONNECTED' || inUse === undefined) throw credentialError('NOT_CONNECTED');
    return this.with(connection, inUse, urgency);
  }

  /** The same with one certain credential, to see whether it works. */
  with(connection: EntraConnection, credential: Credential, urgency: Urgency): EntraDirectory {
    return graphDirectory(this.graph, this.keyring.caller(connection, credential, urgency), this.clock);
  }
}
