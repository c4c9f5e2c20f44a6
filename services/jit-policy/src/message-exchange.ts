import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import { Messaging, type MessagingLog, type PublicKeys } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import { RecheckSweep } from './access/recheck.sweep.ts';
import { AccessRequestSweep } from './access-request/access-request.sweep.ts';
import { DeviceStateSweep } from './device-state/device-state.sweep.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { EntraConsumer } from './entra/entra.consumer.ts';
import { EntraRetentionSweep } from './entra/entra-retention.sweep.ts';
import { GrantSweep } from './grant/grant.sweep.ts';
import { LoginConsumer } from './login/login.consumer.ts';
import { LoginRetentionSweep } from './login/login-retention.sweep.ts';
import { LoginSweep } from './login/login.sweep.ts';
import { AuditRetentionSweep } from './settings/audit-retention.sweep.ts';
import { LapsSettingsSweep } from './settings/laps-settings.sweep.ts';
import { OfflineRefreshSweep } from './offline/offline-refresh.sweep.ts';
import { CLOCK, MESSAGE_LINE } from './tokens.ts';

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
    private readonly logins: LoginConsumer,
    private readonly entra: EntraConsumer,
    private readonly loginSweep: LoginSweep,
    private readonly grantSweep: GrantSweep,
    private readonly deviceStateSweep: DeviceStateSweep,
    private readonly auditRetentionSweep: AuditRetentionSweep,
    private readonly lapsSettingsSweep: LapsSettingsSweep,
    private readonly accessRequestSweep: AccessRequestSweep,
    private readonly recheckSweep: RecheckSweep,
    private readonly loginRetentionSweep: LoginRetentionSweep,
    private readonly entraRetentionSweep: EntraRetentionSweep,
    private readonly offlineRefreshSweep: OfflineRefreshSweep,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(MESSAGE_LINE) private readonly line: MessageLine,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#messaging = await Messaging.start({
      service: 'jit-policy',
      tenancy: this.tenancy,
      clock: this.clock,
      ...this.line,
      handlers: {
        'tenant-changed': this.directory.tenantChanged,
        'technician-changed': this.directory.technicianChanged,
        'technician-keys-changed': this.directory.technicianKeysChanged,
        'group-changed': this.directory.groupChanged,
        'device-changed': this.directory.deviceChanged,
        'totp-accepted': this.logins.totpAccepted,
        'push-login-started': this.logins.pushLoginStarted,
        'login-disowned': this.logins.loginDisowned,
        'access-requested': this.logins.accessRequested,
        'entra-connection-changed': this.entra.connectionChanged,
        'entra-grant-reported': this.entra.grantReported,
      },
      sweeps: [
        this.loginSweep,
        this.grantSweep,
        this.deviceStateSweep,
        this.auditRetentionSweep,
        this.lapsSettingsSweep,
        this.accessRequestSweep,
        this.recheckSweep,
        this.loginRetentionSweep,
        this.entraRetentionSweep,
        this.offlineRefreshSweep,
      ],
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#messaging?.close();
  }
}
