import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { RecheckRepository } from './recheck.repository.ts';
import { RecheckService } from './recheck.service.ts';

/** So few that nobody waits long for one of them, and so many that 10,000 live grants are looked at within minutes. */
const placesAtOnce = 25;

/** Works off the marks to look again at what is live: a batch of devices and accesses in Entra in each transaction. */
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
    const places = await this.rechecks.places(tx, mark, placesAtOnce);
    for (const { id, kind } of places) {
      const device = kind === 'DEVICE' ? await this.copies.deviceLocked(tx, mark.mspId, id) : null;
      if (device !== null) await this.service.ofDevice(tx, device);
      if (kind === 'ENTRA') await this.service.inEntra(tx, mark.mspId, id);
    }
    const last = places.at(-1)?.id;
    if (last === undefined || places.length < placesAtOnce) await this.rechecks.finish(tx, mark);
    else await this.rechecks.advance(tx, mark, last);
    return 1;
  }
}
