import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Handler } from '@stint/messaging';
import { CLOCK } from '../tokens.ts';
import { EntraConnectionRepository } from './entra-connection.repository.ts';
import { EntraGrantRepository } from './entra-grant.repository.ts';
import { commandOf } from './entra-report.domain.ts';
import { EntraWorkService } from './entra-work.service.ts';

/** What services/entra-connector tells. */
@Injectable()
export class EntraConsumer {
  constructor(
    private readonly connections: EntraConnectionRepository,
    private readonly grants: EntraGrantRepository,
    private readonly work: EntraWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  readonly connectionChanged: Handler<'entra-connection-changed'> = async (tx, connection) => this.connections.save(tx, connection);

  /** A grant that is not here was kept as long as the audit events, and is over. */
  readonly grantReported: Handler<'entra-grant-reported'> = async (tx, report) => {
    const grant = await this.grants.locked(tx, report.mspId, report.grantId);
    if (grant === null) return;
    const now = this.clock.now();
    const named = await this.work.name(tx, grant, report.accountName);
    await this.work.change(tx, named, commandOf(report, named, now), now, report.why);
  };
}
