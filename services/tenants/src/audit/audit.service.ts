import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import type { KeyProvider } from '@stint/crypto';
import type { Id, PageRequest } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { KEYS } from '../tokens.ts';
import { ChainCheck, type ChainedEvent, type Verification } from './audit.domain.ts';
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

  /** Recomputes a tenant's whole chain, events included that are appended meanwhile. */
  async verify(actor: Actor, tenantId: Id): Promise<Verification> {
    const check = new ChainCheck(await this.keys.derive(auditKeyLabel), tenantId);
    for (let last = 0, events = 0; ;) {
      const following = await this.tenancy.readTenants(actor, (tx) => this.log.following(tx, actor.mspId, tenantId, last, batch));
      for (const event of following) check.next(event);
      events += following.length;
      last = following.at(-1)?.sequence ?? last;
      if (following.length === batch) continue;
      const head = await this.tenancy.readTenants(actor, (tx) => this.log.head(tx, actor.mspId, tenantId));
      const appendedMeanwhile = following.length > 0 && head !== null && head.sequence > last;
      if (!appendedMeanwhile) return check.end(head, events);
    }
  }
}
