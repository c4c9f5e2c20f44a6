import { Inject, Injectable } from '@nestjs/common';
import { addSeconds } from '@stint/kernel';
import type { MessagingLog, SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { DirectoryError, passes } from '../graph/directory-error.ts';
import { LOG } from '../tokens.ts';
import { ReadingRepository } from './reading.repository.ts';
import { afterFailure, nextStep, roundSeconds, type Reading, type SourceStep, type UserSource } from './source.domain.ts';
import { SourceLease } from './source-lease.ts';
import { SourceReadingService } from './source-reading.service.ts';
import { SourceRepository } from './source.repository.ts';
import { SourceRoundService } from './source-round.service.ts';

/** Failures that may pass are shown when they have lasted. */
const quietAttempts = 3;
const keptSeconds = 7 * 86_400;

/** Takes the user source that has been due the longest one step further: so that none waits for a big one, and a crash costs one step. */
@Injectable()
export class UserSourceSweep implements SlowSweep {
  readonly name = 'user sources';
  readonly everyMs = 500;

  constructor(
    private readonly sources: SourceRepository,
    private readonly readings: ReadingRepository,
    private readonly lease: SourceLease,
    private readonly reading: SourceReadingService,
    private readonly rounds: SourceRoundService,
    @Inject(LOG) private readonly log: MessagingLog,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    const taken = await tenancy.asSystem(async (tx) => {
      const source = await this.sources.take(tx, now);
      return source === null ? null : { source, open: await this.readings.open(tx, source.mspId, source.tenantId) };
    });
    if (taken === null) return 0;
    const { source, open } = taken;
    const step = nextStep(source, open, now);
    const reading = open.find(({ state }) => state !== 'WAITING');
    try {
      await this.#do(tenancy, source, step, reading, now);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      await this.#failed(tenancy, source, step, reading, error, now);
    }
    return 1;
  }

  async #do(tenancy: Tenancy, source: UserSource, step: SourceStep, reading: Reading | undefined, now: Date): Promise<void> {
    switch (step) {
      case 'LET_GO':
        return this.rounds.letGo(tenancy, source);
      case 'BEGIN':
        return this.reading.begin(tenancy, source, now);
      case 'USERS':
        return this.rounds.users(tenancy, source, now);
      case 'GROUPS':
        return this.rounds.groups(tenancy, source, now);
      case 'WAIT':
        return this.#wait(tenancy, source, now);
      case 'READ':
      case 'COMPARE':
      case 'APPLY':
        if (reading === undefined) throw new Error('There is no reading to go on with.');
        if (step === 'READ') return this.reading.read(tenancy, source, reading, now);
        return step === 'COMPARE' ? this.reading.compare(tenancy, source, reading, now) : this.reading.apply(tenancy, source, reading, now);
    }
  }

  /** Nothing to do now: the next round begins later. */
  async #wait(tenancy: Tenancy, source: UserSource, now: Date): Promise<void> {
    await this.lease.run(tenancy, source, async (_tx, held) => ({
      ...held,
      ...(held.on ? { round: 'USERS' as const, dueAt: addSeconds(now, roundSeconds) } : { round: null, dueAt: null }),
    }));
  }

  async #failed(
    tenancy: Tenancy,
    source: UserSource,
    step: SourceStep,
    reading: Reading | undefined,
    error: DirectoryError,
    now: Date,
  ): Promise<void> {
    const attempts = source.attempts + 1;
    const passing = passes(error);
    const shown = !passing || attempts >= quietAttempts;
    if (shown) this.log.warn({ tenantId: source.tenantId, kind: error.kind, code: error.code }, 'a user source cannot be synchronized');
    await this.lease.run(tenancy, source, async (tx, held) => {
      const { next, givesUp } = afterFailure(held, step, reading, { passing, retryAfterSeconds: error.retryAfterSeconds }, now);
      if (givesUp && reading !== undefined)
        await this.readings.save(tx, { ...reading, state: 'DISCARDED', heldBecause: error.message.slice(0, 500) }, now);
      return { ...held, ...next, attempts, problem: shown ? error.message : source.problem };
    });
  }
}

/** Forgets readings a week after they ended, and previews a week after nobody said yes. */
@Injectable()
export class ReadingForgetSweep implements SlowSweep {
  readonly name = 'ended readings of user sources';
  readonly everyMs = 3_600_000;

  constructor(private readonly readings: ReadingRepository) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    return tenancy.asSystem((tx) => this.readings.forget(tx, addSeconds(now, -keptSeconds)));
  }
}
