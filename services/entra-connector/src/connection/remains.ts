import { Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import { GrantRepository } from '../grant/grant.repository.ts';

/** What Stint still has in a customer's Entra tenant, by what is stored here. A connection ends only when there is nothing. */
@Injectable()
export class EntraRemains {
  constructor(private readonly grants: GrantRepository) {}

  /** How many grants and accounts there are. Whoever makes something in Entra counts it here. */
  async count(tx: Tx, mspId: Id, tenantId: Id): Promise<number> {
    return this.grants.countWanted(tx, mspId, tenantId);
  }
}
