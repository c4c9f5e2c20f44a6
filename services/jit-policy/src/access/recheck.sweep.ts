import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { RecheckRepository } from './recheck.repository.ts';
import { RecheckService } from './recheck.service.ts';

/** So few that nobody waits long for a device, and so many that 10,000 live grants are looked at within minutes. */
const devicesAtOnce = 25;

/** Works off the marks to look again at what is live: a batch of devices in each transaction. */
@Injectable()
export class RecheckSweep implements Sweep {
  readonly name = 'look again at live access';
  readonly everyMs = 500;

  constructor(
    private readonly rechecks: RecheckRepository,
    private readonly copies: DirectoryRepository,
    private readonly service: RecheckService,
  ) {}

  async run(tx: SystemTx): Promise<number> {
    const mark = await this.rechecks.next(tx);
    if (mark === null) return 0;
    const ids = await this.rechecks.devices(tx, mark, devicesAtOnce);
    for (const id of ids) {
      const device = await this.copies.deviceLocked(tx, mark.mspId, id);
      if (device !== null) await this.service.ofDevice(tx, device);
    }
    const last = ids.at(-1);
    if (last === undefined || ids.length < devicesAtOnce) await this.rechecks.finish(tx, mark);
    else await this.rechecks.advance(tx, mark, last);
    return 1;
  }
}
