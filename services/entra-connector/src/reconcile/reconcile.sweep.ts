import { Inject, Injectable } from '@nestjs/common';
import { addSeconds, type Clock } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { markerPrefix } from '../account/account.domain.ts';
import type { SystemTenancy } from '../account/convergence.service.ts';
import { AccountRepository } from '../account/account.repository.ts';
import { pauseSeconds } from '../account/pause.domain.ts';
import { DirectoryError } from '../graph/directory-error.ts';
import { EntraAccess } from '../graph/directory.port.ts';
import { CLOCK } from '../tokens.ts';
import { differences } from './reconcile.domain.ts';
import { ReconcileRepository, type ReconciledTenant } from './reconcile.repository.ts';

const everySeconds = 900;
const atOnce = 8;

/**
 * Compares the accounts that carry our mark in each Entra tenant with those that we know. What nobody knows becomes an account that is
 * only taken away; what differs is looked at. Both are the work of convergence, so that there is one way for everything to end.
 */
@Injectable()
export class ReconcileSweep implements SlowSweep {
  readonly name = 'accounts in Entra compared';
  readonly everyMs = 5_000;

  constructor(
    private readonly tenants: ReconcileRepository,
    private readonly accounts: AccountRepository,
    private readonly access: EntraAccess,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    const due = await tenancy.asSystem(async (tx) => {
      await this.tenants.follow(tx, now);
      return this.tenants.claim(tx, now, addSeconds(now, everySeconds), atOnce);
    });
    await Promise.all(due.map((tenant) => this.compare(tenancy, tenant)));
    return due.length === atOnce ? atOnce : 0;
  }

  async compare(tenancy: SystemTenancy, tenant: ReconciledTenant): Promise<void> {
    const { mspId, tenantId } = tenant;
    try {
      const directory = await this.access.of(mspId, tenantId, 'LOW');
      const prefix = markerPrefix(tenantId);
      const [users, deleted] = await Promise.all([directory.users.byMarkerPrefix(prefix), directory.users.deletedByMarkerPrefix(prefix)]);
      await tenancy.asSystem(async (tx) => {
        const now = this.clock.now();
        const { strays, doubtful } = differences(await this.accounts.ofTenant(tx, mspId, tenantId), users, deleted, now);
        for (const { id: objectId, userPrincipalName, createdAt, enabled, deletedAt } of strays) {
          const state = deletedAt === null ? (enabled ? 'ENABLED' : 'DISABLED') : 'DELETED';
          await this.accounts.adopt(tx, { mspId, tenantId, objectId, userPrincipalName, createdAt, state }, now);
        }
        for (const id of doubtful) await this.accounts.due(tx, mspId, id, now);
        await this.tenants.later(tx, tenant, addSeconds(now, everySeconds), 0);
      });
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      const seconds = pauseSeconds(tenant.failures, true, error.retryAfterSeconds, Math.random());
      await tenancy.asSystem((tx) => this.tenants.later(tx, tenant, addSeconds(this.clock.now(), seconds), tenant.failures + 1));
    }
  }
}
