import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Handler } from '@stint/messaging';
import { AccountRepository } from '../account/account.repository.ts';
import { CLOCK } from '../tokens.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** Keeps our copies. Messages come in any order: only a newer version counts. What follows for accounts is the sweep's. */
@Injectable()
export class DirectoryConsumer {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  readonly tenantChanged: Handler<'tenant-changed'> = async (tx, tenant) => this.copies.saveTenant(tx, tenant);

  readonly technicianChanged: Handler<'technician-changed'> = async (tx, technician) => this.copies.saveTechnician(tx, technician);

  readonly deviceChanged: Handler<'device-changed'> = async (tx, device) => {
    if (await this.copies.saveDevice(tx, device)) await this.accounts.settle(tx, device, device.deviceId, this.clock.now());
  };

  readonly lapsSettingsChanged: Handler<'laps-settings-changed'> = async (tx, message) => {
    if (await this.copies.saveSettings(tx, message)) await this.accounts.settle(tx, message, null, this.clock.now());
  };
}
