import { Inject, Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import type { Clock } from '@stint/kernel';
import { AccountRepository } from '../account/account.repository.ts';
import { CLOCK } from '../tokens.ts';
import { connectionEnds } from './grant.domain.ts';
import { GrantRepository } from './grant.repository.ts';

/** What services/jit-policy wants. The account is looked at at once. */
@Injectable()
export class GrantConsumer {
  constructor(
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  readonly entraGrantChanged: Handler<'entra-grant-changed'> = async (tx, grant) => {
    const { mspId, tenantId, technicianId, accountKind: kind, accountPrefix: prefix, accountRestDays: restDays } = grant;
    const now = this.clock.now();
    const accountId = await this.accounts.wanted(tx, { mspId, tenantId, technicianId, kind, prefix, restDays }, now);
    await this.grants.saveWanted(tx, accountId, grant, now);
    // On its way when the connection began to end.
    if (await this.accounts.isLeaving(tx, mspId, tenantId)) await this.grants.failAll(tx, mspId, tenantId, connectionEnds);
  };
}
