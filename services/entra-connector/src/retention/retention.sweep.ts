import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { RetentionRepository } from './retention.repository.ts';

const batch = 500;

/** Removes steps and concluded grants that are older than their tenant keeps audit events, and accounts that nothing is left of. */
@Injectable()
export class RetentionSweep implements Sweep {
  readonly name = 'remove old traces of access in Entra';
  readonly everyMs = 600_000;

  constructor(private readonly retention: RetentionRepository) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    if (!(await this.retention.begin(tx))) return 0;
    const steps = await this.retention.removeSteps(tx, now, batch);
    const grants = await this.retention.removeGrants(tx, now, batch);
    return steps + grants + (await this.retention.forgetAccounts(tx, batch));
  }
}
