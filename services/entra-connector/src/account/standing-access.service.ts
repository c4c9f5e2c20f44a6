import { Inject, Injectable } from '@nestjs/common';
import type { Clock, Id } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { GrantRepository } from '../grant/grant.repository.ts';
import { CLOCK } from '../tokens.ts';
import { AccountRepository } from './account.repository.ts';

/** What stands in an Entra tenant because of us: whoever takes a connection away has it ended first. */
@Injectable()
export class StandingAccessService {
  constructor(
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Ends every grant and has every account that Stint made deleted for good; `remaining` says how far that is. Repeating it is harmless. */
  async endAll(tx: SystemTx, mspId: Id, tenantId: Id, why: string): Promise<void> {
    await this.grants.failAll(tx, mspId, tenantId, why);
    await this.accounts.discardAll(tx, mspId, tenantId, this.clock.now());
  }

  /** How many grants and accounts are not yet seen gone. */
  async remaining(tx: SystemTx, mspId: Id, tenantId: Id): Promise<number> {
    return this.accounts.standing(tx, mspId, tenantId);
  }
}
