import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import { Messaging, type MessagingLog, type PublicKeys } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import { BreakGlassConsumer } from './break-glass/break-glass.consumer.ts';
import { RotationSweep } from './break-glass/rotation.sweep.ts';
import { ConvergeSweep } from './account/converge.sweep.ts';
import { ExpirySweep } from './connection/expiry.sweep.ts';
import { LeaveSweep } from './connection/leave.sweep.ts';
import { VerifySweep } from './connection/verify.sweep.ts';
import { DirectoryConsumer } from './directory/directory.consumer.ts';
import { GrantConsumer } from './grant/grant.consumer.ts';
import { StuckSweep } from './grant/stuck.sweep.ts';
import { ReconcileSweep } from './reconcile/reconcile.sweep.ts';
import { RetentionConsumer } from './retention/retention.consumer.ts';
import { RetentionSweep } from './retention/retention.sweep.ts';
import { RewrapSweep } from './root-key/rewrap.sweep.ts';
import { CLOCK, MESSAGE_LINE } from './tokens.ts';
import { ReadingForgetSweep, UserSourceSweep } from './user-source/user-source.sweep.ts';

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
    private readonly grants: GrantConsumer,
    private readonly breakGlass: BreakGlassConsumer,
    private readonly rotations: RotationSweep,
    private readonly verify: VerifySweep,
    private readonly expiry: ExpirySweep,
    private readonly leave: LeaveSweep,
    private readonly rewrap: RewrapSweep,
    private readonly converge: ConvergeSweep,
    private readonly stuck: StuckSweep,
    private readonly reconcile: ReconcileSweep,
    private readonly sources: UserSourceSweep,
    private readonly endedReadings: ReadingForgetSweep,
    private readonly retentions: RetentionConsumer,
    private readonly retention: RetentionSweep,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(MESSAGE_LINE) private readonly line: MessageLine,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.#messaging = await Messaging.start({
      service: 'entra-connector',
      tenancy: this.tenancy,
      clock: this.clock,
      ...this.line,
      handlers: {
        'tenant-changed': this.directory.tenantChanged,
        'technician-changed': this.directory.technicianChanged,
        'group-changed': this.directory.groupChanged,
        'entra-grant-changed': this.grants.entraGrantChanged,
        'entra-rotation-due': this.breakGlass.due,
        'entra-rotation-answered': this.breakGlass.answered,
        'audit-retention-changed': this.retentions.auditRetentionChanged,
      },
      sweeps: [
        this.verify,
        this.expiry,
        this.leave,
        this.rewrap,
        this.converge,
        this.stuck,
        this.reconcile,
        this.rotations,
        this.sources,
        this.endedReadings,
        this.retention,
      ],
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#messaging?.close();
    await this.converge.drain();
  }
}
