import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import { addSeconds } from '@stint/kernel';
import type { SystemTx } from '@stint/tenancy';
import { historyDays } from './plan.domain.ts';
import { VersionRepository } from './version.repository.ts';

/** Deletes former passwords that are both older than 90 days and beyond the number that the settings keep. */
@Injectable()
export class HistorySweep implements Sweep {
  readonly name = 'laps-history';
  readonly everyMs = 3_600_000;

  constructor(private readonly versions: VersionRepository) {}

  run(tx: SystemTx, now: Date): Promise<number> {
    return this.versions.deleteFormer(tx, addSeconds(now, -historyDays * 86_400), 1_000);
  }
}
