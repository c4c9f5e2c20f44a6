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

  /** Recomputes a tenant's whole chain as it stands at one moment. */
  async verify(actor: Actor, tenantId: Id): Promise<Verification> {
    const key = await this.keys.derive(auditKeyLabel);
    // The head first: events that are appended meanwhile lie behind it and are left for the next time.
    const head = await this.tenancy.readTenants(actor, (tx) => this.log.head(tx, actor.mspId, tenantId));
    const check = new ChainCheck(key, tenantId);
    let events = 0;
    for (let last = 0; ; ) {
      const following = await this.tenancy.readTenants(actor, (tx) => this.log.following(tx, actor.mspId, tenantId, last, batch));
      const upToHead = following.filter((event) => event.sequence <= (head?.sequence ?? 0));
      for (const event of upToHead) check.next(event);
      events += upToHead.length;
      if (upToHead.length < batch) return check.end(head, events);
      last = upToHead.at(-1)?.sequence ?? last;
    }
  }
}
