import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { AccessRequestEnding } from './access-request-ending.ts';
import { AccessRequestRepository } from './access-request.repository.ts';

/** Ends access requests that not enough people approved in time. */
@Injectable()
export class AccessRequestSweep implements Sweep {
  readonly name = 'expire access requests';
  readonly everyMs = 1_000;

  constructor(
    private readonly requests: AccessRequestRepository,
    private readonly copies: DirectoryRepository,
    private readonly ending: AccessRequestEnding,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    let expired = 0;
    for (const { mspId, id } of await this.requests.overdueDevices(tx, now, 100)) {
      // A device that somebody else has locked is left to the next round: a sweep never waits.
      const device = await this.copies.deviceIfFree(tx, mspId, id);
      if (device !== null) expired += await this.ending.expireOnDevice(tx, device, now);
    }
    return expired + (await this.ending.expire(tx, await this.requests.overdueForEntra(tx, now, 100), now));
  }
}
