import { Injectable } from '@nestjs/common';
import type { SystemTx, Tenancy } from '@stint/tenancy';
import type { UserSource } from './source.domain.ts';
import { SourceRepository } from './source.repository.ts';

/** What a step does to a source that was taken: in one transaction, and only while nobody else has the source. */
@Injectable()
export class SourceLease {
  constructor(private readonly sources: SourceRepository) {}

  /** Runs `work` on the source as it is now and keeps what it answers. */
  async run(tenancy: Tenancy, taken: UserSource, work: (tx: SystemTx, source: UserSource) => Promise<UserSource>): Promise<void> {
    await tenancy.asSystem(async (tx) => {
      const source = await this.sources.held(tx, taken);
      if (source !== null) await this.sources.save(tx, await work(tx, source), 'END');
    });
  }

  /** The same after Entra has answered, which ends a problem. */
  async answered(tenancy: Tenancy, taken: UserSource, work: (tx: SystemTx, source: UserSource) => Promise<UserSource>): Promise<void> {
    return this.run(tenancy, taken, (tx, source) => work(tx, { ...source, attempts: 0, problem: null }));
  }
}
