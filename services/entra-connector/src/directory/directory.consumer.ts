import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Handler } from '@stint/messaging';
import { AccountRepository } from '../account/account.repository.ts';
import { CLOCK } from '../tokens.ts';
import { TechnicianGroupRepository } from './technician-group.repository.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** Keeps our copies. Messages come in any order: only a newer version counts. */
@Injectable()
export class DirectoryConsumer {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly groups: TechnicianGroupRepository,
  ) {}

  readonly tenantChanged: Handler<'tenant-changed'> = async (tx, tenant) => this.copies.saveTenant(tx, tenant);

  readonly technicianChanged: Handler<'technician-changed'> = async (tx, technician) => {
    const isNewer = await this.copies.saveTechnician(tx, technician);
    // Who is switched off loses access in Entra, whatever services/jit-policy says.
    if (isNewer) await this.accounts.dueOfTechnician(tx, technician.mspId, technician.technicianId, this.clock.now());
  };

  readonly groupChanged: Handler<'group-changed'> = async (tx, group) => this.groups.save(tx, group);
}
