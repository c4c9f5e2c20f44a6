import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { AccountRepository } from '../account/account.repository.ts';
import { connectionEnds } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { CLOCK } from '../tokens.ts';

/** What Stint still has in a customer's Entra tenant, by what is stored here. A connection ends only when there is nothing. */
@Injectable()
export class EntraRemains {
  constructor(
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** How many grants and accounts are not seen gone. Whoever makes something in Entra counts it here. */
  async count(tx: Tx, mspId: Id, tenantId: Id): Promise<number> {
    return (await this.countOf(tx, mspId, [tenantId])).get(tenantId) ?? 0;
  }

  /** The same of several tenants; one without any is not in the answer. */
  async countOf(tx: Tx, mspId: Id, tenantIds: readonly Id[]): Promise<Map<Id, number>> {
    return this.accounts.standing(tx, mspId, tenantIds);
  }

  /** Another Entra tenant is connected now: what is left in the former one is not looked for there. */
  async leaveBehind(tx: TenantTx, mspId: Id, tenantId: Id, entraTenantId: string): Promise<void> {
    await this.accounts.leaveBehind(tx, mspId, tenantId, entraTenantId);
  }

  /** Ends every grant, and has every account that Stint made deleted for good. Repeating it is harmless. */
  async end(tx: TenantTx | SystemTx, mspId: Id, tenantId: Id): Promise<void> {
    await this.grants.failAll(tx, mspId, tenantId, connectionEnds);
    await this.accounts.discardAll(tx, mspId, tenantId, this.clock.now());
  }
}
