import { Injectable } from '@nestjs/common';
import { audit, type Sweep } from '@stint/messaging';
import { addSeconds } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { AccountRepository } from './account.repository.ts';

const batch = 100;
const stuckSeconds = 3600;

/** Tells once of each account whose password is too old, or whose agent has not got on for an hour. */
@Injectable()
export class AccountAlarmSweep implements Sweep {
  readonly name = 'laps-alarms';
  readonly everyMs = 30_000;

  constructor(private readonly accounts: AccountRepository) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    const found = await this.accounts.alarming(tx, addSeconds(now, -stuckSeconds), now, batch);
    for (const { account, hostName } of found) {
      const { mspId, tenantId, id: subjectId, name: accountName, problem } = account;
      await this.accounts.save(tx, { ...account, alarmedAt: now });
      await audit(tx, {
        ...{ action: problem === null ? 'laps.overdue' : 'laps.stuck', subjectId, occurredAt: now, mspId, tenantId },
        details: { accountName, hostName, problem, confirmedAt: account.confirmedAt?.toISOString() ?? null },
      });
    }
    return found.length;
  }
}
