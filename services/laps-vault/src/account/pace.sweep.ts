import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { PaceRepository } from './pace.repository.ts';
import { changesPerMinute } from './plan.domain.ts';

/** Keeps the pace of planned changes fit for the number of accounts. */
@Injectable()
export class PaceSweep implements Sweep {
  readonly name = 'laps-pace';
  readonly everyMs = 600_000;

  constructor(private readonly pace: PaceRepository) {}

  async run(tx: SystemTx): Promise<number> {
    for (const { mspId, mean } of await this.pace.means(tx)) await this.pace.setLimit(tx, mspId, changesPerMinute(mean));
    return 0;
  }
}
