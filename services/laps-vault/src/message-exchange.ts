import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import { Messaging, type MessagingLog, type PublicKeys } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import { AccountAlarmSweep } from './account/account-alarm.sweep.ts';
import { HistorySweep } from './account/history.sweep.ts';
import { PaceSweep } from './account/pace.sweep.ts';
import { CheckOutSweep } from './check-out/check-out.sweep.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { EntraAccountConsumer } from './entra-account/entra-account.consumer.ts';
import { EntraDueSweep } from './entra-account/entra-due.sweep.ts';
import { CLOCK, MESSAGE_LINE } from './tokens.ts';
import { ResealSweep } from './vault-key/reseal.sweep.ts';
import { RetiredKeySweep } from './vault-key/retired-key.sweep.ts';
import { RewrapSweep } from './vault-key/rewrap.sweep.ts';

/** Where messages travel, and with which keys. */
export interface MessageLine {
  queueUrl: string;
  signingKey: KeyObject;
  publicKeys: PublicKeys;
  log: MessagingLog;
}

/** Connects consumers and sweeps to messaging for as long as the app lives. */
@Injectable()
export class MessageExchange implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #messaging: Messaging | undefined;

  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryConsumer,
    private readonly entraAccounts: EntraAccountConsumer,
    private readonly entraDue: EntraDueSweep,
    private readonly alarms: AccountAlarmSweep,
    private readonly history: HistorySweep,
    private readonly pace: PaceSweep,
    private readonly checkOuts: CheckOutSweep,
    private readonly reseal: ResealSweep,
    private readonly rewrap: RewrapSweep,
    private readonly retiredKeys: RetiredKeySweep,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(MESSAGE_LINE) private readonly line: MessageLine,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#messaging = await Messaging.start({
      service: 'laps-vault',
      tenancy: this.tenancy,
      clock: this.clock,
      ...this.line,
      handlers: {
        'tenant-changed': this.directory.tenantChanged,
        'technician-changed': this.directory.technicianChanged,
        'device-changed': this.directory.deviceChanged,
        'laps-settings-changed': this.directory.lapsSettingsChanged,
        'entra-break-glass-changed': this.entraAccounts.changed,
        'entra-rotation-escrowed': this.entraAccounts.escrowed,
        'entra-rotation-confirmed': this.entraAccounts.confirmed,
      },
      sweeps: [this.entraDue, this.alarms, this.history, this.pace, this.checkOuts, this.reseal, this.rewrap, this.retiredKeys],
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#messaging?.close();
  }
}
