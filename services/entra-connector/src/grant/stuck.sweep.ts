import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { AccountRepository } from '../account/account.repository.ts';
import { stuckAfterSeconds } from './grant.domain.ts';
import { auditGrant, reportGrant } from './grant-report.ts';
import { GrantRepository } from './grant.repository.ts';

const atOnce = 100;

/** Tells loudly, once, of each end that was not seen in time, whatever holds it up. It is tried for ever all the same. */
@Injectable()
export class StuckSweep implements Sweep {
  readonly name = 'ends in Entra that are stuck';
  readonly everyMs = 10_000;

  constructor(
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    const stuck = await this.grants.overdue(tx, addSeconds(now, -stuckAfterSeconds), atOnce);
    for (const grant of stuck) {
      const account = await this.accounts.find(tx, grant.mspId, grant.accountId);
      const accountName = account?.userPrincipalName ?? null;
      const why = account?.problem ?? 'Entra was not asked yet.';
      const reportVersion = await reportGrant(tx, grant, { state: 'STUCK', at: now, accountName, why });
      await this.grants.save(tx, grant, { stuckAt: now, reportVersion });
      await auditGrant(tx, grant, 'entra-access.end-stuck', now, accountName, { why });
    }
    return stuck.length === atOnce ? atOnce : 0;
  }
}
