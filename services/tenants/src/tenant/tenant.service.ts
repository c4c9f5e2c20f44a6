import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName, id, type Actor } from '@stint/contracts';
import { connection, conflict, invalidInput, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { CLOCK } from '../tokens.ts';
import { isFreshId, mayHaveChildren, newCustomer, type Tenant } from './tenant.domain.ts';
import { TenantRepository } from './tenant.repository.ts';

const createInput = z.object({ id, parentId: z.string(), name: displayName });
const renameInput = z.object({ id: z.string(), name: displayName });

@Injectable()
export class TenantService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly tenants: TenantRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async create(actor: Actor, raw: unknown): Promise<Tenant> {
    const input = checkInput(createInput, raw);
    const now = this.clock.now();
    return this.tenancy.inTenant(actor, checkId(input.parentId, 'tenant'), async (tx) => {
      const parent = await this.tenants.find(tx, actor.mspId, input.parentId);
      if (parent === null) throw notFound('tenant');
      const known = await this.tenants.find(tx, actor.mspId, input.id);
      if (known?.parentId === parent.id && known.name === input.name) return known; // the same call again
      if (known !== null) throw conflict('This id belongs to something else already. Make a new one.');
      if (!isFreshId(input.id, now))
        throw invalidInput('id', 'id: must be a UUIDv7 made just now. Check the clock of the computer that made it.');
      if (!mayHaveChildren(parent)) throw invalidInput('parentId', 'parentId: tenants nest at most 8 deep.');
      const tenant = newCustomer(input.id, parent, input.name, now);
      if (!(await this.tenants.insert(tx, tenant))) throw conflict('This id belongs to something else already. Make a new one.');
      await tellTenant(tx, tenant);
      await audit(tx, { action: 'tenant.created', subjectId: tenant.id, details: { name: tenant.name }, occurredAt: now });
      return tenant;
    });
  }

  async rename(actor: Actor, raw: unknown): Promise<Tenant> {
    const input = checkInput(renameInput, raw);
    return this.tenancy.inTenant(actor, checkId(input.id, 'tenant'), async (tx) => {
      const before = await this.tenants.find(tx, actor.mspId, input.id);
      const tenant = await this.tenants.rename(tx, actor.mspId, input.id, input.name);
      if (before === null || tenant === null) throw notFound('tenant');
      await tellTenant(tx, tenant);
      await audit(tx, {
        action: 'tenant.renamed',
        subjectId: tenant.id,
        details: { from: before.name, to: tenant.name },
        occurredAt: this.clock.now(),
      });
      return tenant;
    });
  }

  async list(actor: Actor, page: PageRequest): Promise<Connection<Tenant>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.tenants.list(tx, actor.mspId, page)), page);
  }

  async load(actor: Actor, ids: readonly Id[]): Promise<Tenant[]> {
    return this.tenancy.readTenants(actor, (tx) => this.tenants.findMany(tx, actor.mspId, ids));
  }
}

/** Tells the other services what a tenant is now. */
export async function tellTenant(tx: TenantTx | SystemTx, tenant: Tenant): Promise<void> {
  const { mspId, parentId, name, version } = tenant;
  await emit(tx, 'tenant-changed', { mspId, tenantId: tenant.id, parentId, path: [...tenant.path], name, version });
}

/** An id that cannot be one answers like one that does not exist. */
export function checkId(value: string, thing: string): Id {
  if (!id.safeParse(value).success) throw notFound(thing);
  return value;
}
