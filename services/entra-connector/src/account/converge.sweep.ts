import { Inject, Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { LOG, type SweepLog } from '../tokens.ts';
import { AccountRepository, type Claim } from './account.repository.ts';
import { ConvergenceService } from './convergence.service.ts';
import { leaseSeconds } from './decision.service.ts';

const atOnce = 32;
const perTenant = 4;

/**
 * Works on accounts whose time has come: many at once, few of one tenant, so that neither a slow tenant nor a busy one holds up the
 * others. Each replica does; a lease with a fence number keeps them apart.
 */
@Injectable()
export class ConvergeSweep implements SlowSweep {
  readonly name = 'access in Entra as it must be';
  readonly everyMs = 500;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(
    private readonly accounts: AccountRepository,
    private readonly convergence: ConvergenceService,
    @Inject(LOG) private readonly log: SweepLog,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    if (this.#running.size >= atOnce) await Promise.race(this.#running);
    const free = atOnce - this.#running.size;
    const claims = await tenancy.asSystem((tx) => this.accounts.claim(tx, now, addSeconds(now, leaseSeconds), free, perTenant));
    for (const claim of claims) {
      const work: Promise<void> = this.#work(tenancy, claim).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
    return claims.length;
  }

  /** Ends after the calls that are out. */
  async drain(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #work(tenancy: Tenancy, claim: Claim): Promise<void> {
    await this.convergence.converge(tenancy, claim, this.#stop.signal).catch((error: unknown) => {
      this.log.error({ err: error, account: claim.id }, 'work on an account in Entra broke off; it goes on when its lease is over');
    });
  }
}
