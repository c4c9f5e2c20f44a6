import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { TechnicianGroupRepository } from './technician-group.repository.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** Keeps our copies. Messages come in any order: only a newer version counts. */
@Injectable()
export class DirectoryConsumer {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly groups: TechnicianGroupRepository,
  ) {}

  readonly tenantChanged: Handler<'tenant-changed'> = async (tx, tenant) => this.copies.saveTenant(tx, tenant);

  readonly technicianChanged: Handler<'technician-changed'> = async (tx, technician) => {
    await this.copies.saveTechnician(tx, technician);
  };

  readonly groupChanged: Handler<'group-changed'> = async (tx, group) => this.groups.save(tx, group);
}
