import { Injectable } from '@nestjs/common';
import type { Handler } from '@stint/messaging';
import { AccountRepository } from '../device-state/account.repository.ts';
import { GrantService } from '../grant/grant.service.ts';
import { LoginService } from '../login/login.service.ts';
import { holds } from './directory.domain.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** Keeps our copies, and draws the consequences of what changed. Messages come in any order: only a newer version counts. */
@Injectable()
export class DirectoryConsumer {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly grants: GrantService,
    private readonly logins: LoginService,
  ) {}

  readonly tenantChanged: Handler<'tenant-changed'> = async (tx, tenant) => {
    await this.copies.saveTenant(tx, tenant);
  };

  /** A technician who may not log in any more loses what is live; approvals under way wait for this row and then see it. */
  readonly technicianChanged: Handler<'technician-changed'> = async (tx, technician) => {
    if (!(await this.copies.saveTechnician(tx, technician))) return;
    await this.accounts.renameTechnician(tx, technician.mspId, technician.technicianId, technician.displayName);
    await this.grants.endOfTechnician(tx, technician.mspId, technician.technicianId, (path) => !holds(technician, 'login.approve', path));
  };

  readonly technicianKeysChanged: Handler<'technician-keys-changed'> = async (tx, technician) => {
    await this.copies.saveKeys(tx, technician);
  };

  readonly groupChanged: Handler<'group-changed'> = async (tx, group) => {
    await this.copies.saveGroup(tx, group);
  };

  readonly deviceChanged: Handler<'device-changed'> = async (tx, message) => {
    if (!(await this.copies.saveDevice(tx, message)) || message.active) return;
    const device = await this.copies.deviceLocked(tx, message.mspId, message.deviceId);
    if (device === null) return;
    await this.logins.failPending(tx, device, 'The computer was revoked.');
    await this.grants.endOfDevice(tx, device);
  };
}
