import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { EntraRetentionRepository } from './entra-retention.repository.ts';

const batch = 200;

/** Removes access in Entra that is over for longer than its tenant keeps audit events, as logins are. */
@Injectable()
export class EntraRetentionSweep implements Sweep {
  readonly name = 'remove old access in Entra';
  readonly everyMs = 600_000;

  constructor(private readonly accesses: EntraRetentionRepository) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    if (!(await this.accesses.begin(tx))) return 0;
    const old = await this.accesses.old(tx, now, batch);
    if (old.length > 0) await this.accesses.remove(tx, old);
    return old.length;
  }
}
