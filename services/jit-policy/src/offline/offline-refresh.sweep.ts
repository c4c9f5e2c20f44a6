import { Inject, Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { NUDGE, type Nudge } from '../tokens.ts';
import { OfflineRefreshRepository } from './offline-refresh.repository.ts';

/** With two batches a second: 10,000 devices ask within 200 s, and no more than 50 of them in one second. */
export const devicesAtOnce = 25;

/** Tells devices, a batch at a time, that who may log in on them offline may have changed. */
@Injectable()
export class OfflineRefreshSweep implements Sweep {
  readonly name = 'refresh offline access';
  readonly everyMs = 500;

  constructor(
    private readonly refreshes: OfflineRefreshRepository,
    @Inject(NUDGE) private readonly nudge: Nudge,
  ) {}

  /** Answers 0 always: the pause after each batch is what keeps the devices from all asking at once. */
  async run(tx: SystemTx): Promise<number> {
    const mark = await this.refreshes.next(tx);
    if (mark === null) return 0;
    const ids = await this.refreshes.advance(tx, mark, devicesAtOnce);
    if (ids.length < devicesAtOnce) await this.refreshes.finish(tx, mark);
    for (const id of ids) tx.afterCommit(() => this.nudge(id));
    return 0;
  }
}
