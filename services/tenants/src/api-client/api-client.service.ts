import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName, ed25519PublicKey, id, permissions, type Actor } from '@stint/contracts';
import { connection, conflict, invalidInput, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { CredentialRepository } from '../credential/credential.repository.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import { surplus, type ApiClient } from './api-client.domain.ts';
import { ApiClientRepository } from './api-client.repository.ts';

const createInput = z.object({
  id,
  clientId: id,
  tenantId: z.string(),
  name: displayName,
  publicKey: ed25519PublicKey,
  permissions: z
    .array(z.enum(permissions))
    .min(1, 'must name at least one permission')
    .transform((list) => [...new Set(list)]),
});

@Injectable()
export class ApiClientService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly clients: ApiClientRepository,
    private readonly credentials: CredentialRepository,
    private readonly tenants: TenantRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revocation: Revoke,
  ) {}

  async create(actor: Actor, raw: unknown): Promise<ApiClient> {
    const input = checkInput(createInput, raw);
    return this.tenancy.inTenant(actor, checkId(input.tenantId, 'tenant'), async (tx) => {
      const { mspId, tenantId } = tx.scope;
      const path = (await this.tenants.find(tx, mspId, tenantId))?.path ?? [];
      const access = 'access' in actor ? actor.access.filter((entry) => path.includes(entry.tenantId)) : [];
      const missing = surplus(
        input.permissions,
        access.flatMap(({ permissions: held }) => held),
      );
      if (missing.length > 0) throw invalidInput('permissions', `permissions: you do not hold ${missing.join(', ')} there yourself.`);
      const client: ApiClient = {
        mspId,
        tenantId,
        id: input.id,
        clientId: input.clientId,
        name: input.name,
        permissions: input.permissions,
        active: true,
      };
      const added =
        (await this.clients.insert(tx, client)) &&
        (await this.credentials.insert(tx, {
          mspId,
          tenantId,
          id: client.clientId,
          kind: 'CLIENT',
          subjectId: client.id,
          publicKey: input.publicKey,
        }));
      if (!added) throw conflict('This id or client id is taken. Make new ones.');
      await audit(tx, {
        action: 'client.created',
        subjectId: client.id,
        details: { name: client.name, permissions: client.permissions.join(' ') },
        occurredAt: this.clock.now(),
      });
      return client;
    });
  }

  /** Revokes an API client; again is harmless. */
  async revoke(actor: Actor, rawId: string): Promise<ApiClient> {
    const clientId = checkId(rawId, 'API client');
    return this.tenancy.inTenantOf(
      actor,
      'API client',
      async (tx) => (await this.clients.findMany(tx, actor.mspId, [clientId]))[0]?.tenantId ?? null,
      async (tx) => {
        const changed = await this.clients.revoke(tx, actor.mspId, clientId);
        if (changed) tx.afterCommit(() => this.revocation(clientId));
        const [client] = await this.clients.findMany(tx, actor.mspId, [clientId]);
        if (client === undefined) throw notFound('API client');
        if (changed)
          await audit(tx, { action: 'client.revoked', subjectId: clientId, details: { name: client.name }, occurredAt: this.clock.now() });
        return client;
      },
    );
  }

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<ApiClient>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.clients.list(tx, actor.mspId, tenantId, page)), page);
  }
}
