import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { AccountRepository } from './account.repository.ts';
import { DeviceWorkService } from './device-work.service.ts';

const rememberGoneSeconds = 30 * 86_400;

/** Has accounts deleted that have rested long enough, and forgets those that were seen gone long ago. */
@Injectable()
export class DeviceStateSweep implements Sweep {
  readonly name = 'delete rested accounts';
  readonly everyMs = 60_000;

  constructor(
    private readonly accounts: AccountRepository,
    private readonly copies: DirectoryRepository,
    private readonly work: DeviceWorkService,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    let handled = await this.accounts.forget(tx, addSeconds(now, -rememberGoneSeconds), 100);
    for (const { mspId, deviceId, id } of await this.accounts.rested(tx, now, 100)) {
      const device = await this.copies.deviceIfFree(tx, mspId, deviceId);
      if (device === null || !(await this.accounts.isResting(tx, now, mspId, id))) continue;
      await this.accounts.retire(tx, mspId, id, now);
      const work = await this.work.open(tx, device, now);
      work.touch();
      await work.finish();
      handled += 1;
    }
    return handled;
  }
}
