import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { EntraGrantRepository } from '../entra/entra-grant.repository.ts';
import { EntraWorkService } from '../entra/entra-work.service.ts';
import { GrantRepository } from './grant.repository.ts';

/** Ends grants whose time is over, tries open ends again for ever, and calls them stuck when they take too long. */
@Injectable()
export class GrantSweep implements Sweep {
  readonly name = 'end grants';
  readonly everyMs = 1_000;

  constructor(
    private readonly grants: GrantRepository,
    private readonly copies: DirectoryRepository,
    private readonly work: DeviceWorkService,
    private readonly inEntra: EntraGrantRepository,
    private readonly entraWork: EntraWorkService,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    let changed = 0;
    for (const { mspId, id } of await this.grants.dueDevices(tx, now, 100)) {
      const device = await this.copies.deviceLocked(tx, mspId, id);
      if (device === null) continue;
      const work = await this.work.open(tx, device, now);
      for (const grant of [...work.grants]) {
        if ((await work.tick(grant)) !== grant) changed += 1;
      }
      await work.finish();
    }
    for (const grant of await this.inEntra.due(tx, now, 100)) if ((await this.entraWork.tick(tx, grant, now)) !== grant) changed += 1;
    return changed;
  }
}
