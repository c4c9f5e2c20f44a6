import { Injectable } from '@nestjs/common';
import type { Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { ConnectionRepository } from './connection.repository.ts';
import { ConnectionService } from './connection.service.ts';
import { EntraRemains } from './remains.ts';

const atOnce = 50;

/** Forgets the credentials of connections that are being ended as soon as nothing of Stint is left in their Entra tenants. */
@Injectable()
export class LeaveSweep implements Sweep {
  readonly name = 'end connections to Entra';
  readonly everyMs = 2_000;

  constructor(
    private readonly connections: ConnectionRepository,
    private readonly connection: ConnectionService,
    private readonly remains: EntraRemains,
  ) {}

  async run(tx: SystemTx): Promise<number> {
    for (let after: string | null = null; ;) {
      const leaving = await this.connections.leaving(tx, after, atOnce);
      for (const one of leaving) {
        if ((await this.remains.count(tx, one.mspId, one.tenantId)) === 0) await this.connection.finish(tx, one, 0);
      }
      if (leaving.length < atOnce) return 0;
      after = leaving.at(-1)?.tenantId ?? null;
    }
  }
}
