import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import type { KeyProvider } from '@stint/crypto';
import type { Id, PageRequest } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { KEYS } from '../tokens.ts';
import { ChainCheck, noAnchor, type ChainedEvent, type Verification } from './audit.domain.ts';
import { AuditRepository } from './audit.repository.ts';

/** The purpose under which the audit chains' key is derived. */
export const auditKeyLabel = 'audit-chain-v1';
const batch = 1_000;

@Injectable()
export class AuditService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly log: AuditRepository,
    @Inject(KEYS) private readonly keys: KeyProvider,
  ) {}

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<ChainedEvent[]> {
    return this.tenancy.readTenants(actor, (tx) => this.log.list(tx, actor.mspId, tenantId, page));
  }

  /** Recomputes a tenant's chain as it is now, from its anchor up to the first break. */
  async verify(actor: Actor, tenantId: Id): Promise<Verification> {
    const key = await this.keys.derive(auditKeyLabel);
    let check: ChainCheck | null = null;
    for (let after: number | null = null, events = 0; ;) {
      const { head, following } = await this.tenancy.readTenants(actor, (tx) =>
        this.log.following(tx, actor.mspId, tenantId, after, batch),
      );
      const anchor = head?.anchor ?? noAnchor;
      if (check !== null && anchor.sequence > check.sequence) {
        // What comes next was removed by retention while we read: begin again.
        check = null;
        after = null;
        events = 0;
        continue;
      }
      check ??= new ChainCheck(key, tenantId, anchor);
      for (const event of following) check.next(event);
      events += following.length;
      if (check.broken || following.length < batch) return check.end(head, events);
      after = check.sequence;
    }
  }
}
