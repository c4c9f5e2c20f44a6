import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { BreakGlassRepository } from './break-glass.repository.ts';
import { RotationService } from './rotation.service.ts';

const atOnce = 16;
/** Longer than the calls of one step may take together. */
export const leaseSeconds = 300;

/** Works on the break-glass accounts whose time has come, some at a time, none of them twice. */
@Injectable()
export class RotationSweep implements SlowSweep {
  readonly name = 'break-glass rotation';
  readonly everyMs = 1_000;

  constructor(
    private readonly accounts: BreakGlassRepository,
    private readonly rotations: RotationService,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    const claims = await tenancy.asSystem((tx) => this.accounts.claim(tx, now, addSeconds(now, leaseSeconds), atOnce));
    const done = await Promise.allSettled(claims.map((claim) => this.rotations.step(tenancy, claim)));
    const [failed] = done.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    // One that failed in an unknown way is taken again after its lease; the others are done.
    if (failed !== undefined) throw new Error('A step of a break-glass account failed.', { cause: failed });
    return claims.length;
  }
}
