import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { ConnectionRepository } from './connection.repository.ts';
import { VerificationService } from './verification.service.ts';

const atOnce = 4;
/** Who dies over a verification leaves it to others after this. */
const leaseSeconds = 300;

/** Verifies connections in the background, so that one that has broken is known before somebody needs it, and one that works again is used again. */
@Injectable()
export class VerifySweep implements SlowSweep {
  readonly name = 'verify connections to Entra';
  readonly everyMs = 2_000;

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly verification: VerificationService,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    const due = await tenancy.asSystem((tx) => this.connections.takeDue(tx, now, addSeconds(now, leaseSeconds), atOnce));
    // One that fails holds up no other: it is due again when its lease ends.
    const done = await Promise.allSettled(due.map(({ mspId, tenantId }) => this.verification.verify(mspId, tenantId, null)));
    const failed = done.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return due.length;
  }
}
