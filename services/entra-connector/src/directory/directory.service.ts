import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import type { Clock, Id } from '@stint/kernel';
import { inCopiedTenant, Tenancy, visiblePatiently, type TenantTx } from '@stint/tenancy';
import { CLOCK } from '../tokens.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** What we know of other services' things, with patience for those that were made a moment ago. */
@Injectable()
export class DirectoryService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `Tenancy.inTenant`, patient with a fresh tenant. Problem `NotFound` when it stays out of reach. */
  async inTenant<T>(actor: Actor, tenantId: Id, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    return inCopiedTenant(this.tenancy, this.clock, actor, tenantId, work);
  }

  /** Those of the tenants that the actor reaches. */
  async visibleTenants(actor: Actor, ids: readonly Id[]): Promise<Set<Id>> {
    return visiblePatiently(this.clock, ids, (wanted) =>
      this.tenancy.readTenants(actor, (tx) => this.copies.visibleTenants(tx, actor.mspId, wanted)),
    );
  }
}
