import { Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { RevealRepository } from '../reveal/reveal.repository.ts';
import { CheckOutRepository } from './check-out.repository.ts';
import { CheckOutService } from './check-out.service.ts';

const batch = 50;
const forgetAfterSeconds = 86_400;

/** Ends check-outs whose time is over, and forgets reveals that no limit counts any more. */
@Injectable()
export class CheckOutSweep implements Sweep {
  readonly name = 'laps-check-outs';
  readonly everyMs = 5_000;

  constructor(
    private readonly checkOuts: CheckOutRepository,
    private readonly service: CheckOutService,
    private readonly reveals: RevealRepository,
  ) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    const over = await this.checkOuts.over(tx, now, batch);
    for (const out of over) await this.service.endOver(tx, out, now);
    return over.length + (await this.reveals.forget(tx, addSeconds(now, -forgetAfterSeconds), 1_000));
  }
}
