import { Inject, Injectable } from '@nestjs/common';
import { isId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import { asSelf, type Actor } from '@stint/contracts';
import { Tenancy } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import type { AccessRequest } from './access-request.domain.ts';
import { AccessRequestRepository } from './access-request.repository.ts';

const mostWaiting = 100;

/** Reading access requests. */
@Injectable()
export class AccessRequestsService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly requests: AccessRequestRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What waits for the calling technician's yes, oldest first, at most 100. `actor` is narrowed to where `access.approve` is held. */
  async waitingFor(actor: Actor): Promise<AccessRequest[]> {
    if (actor.kind !== 'technician') return [];
    const self = await this.tenancy.readTenants(asSelf(actor), (tx) => this.copies.technician(tx, actor.mspId, actor.id));
    if (self?.active !== true) return [];
    const now = this.clock.now();
    return this.tenancy.readTenants(actor, (tx) => this.requests.waitingFor(tx, actor.mspId, actor.id, self.groupIds, now, mostWaiting));
  }

  /** One request; Problem `NotFound` when it is out of reach. */
  async read(actor: Actor, id: Id): Promise<AccessRequest> {
    const request = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.requests.find(tx, actor.mspId, id)) : null;
    if (request === null) throw notFound('access request');
    return request;
  }

  /** Those of the logins in the actor's reach that have one, by the login's id. */
  async ofLogins(actor: Actor, loginRequestIds: readonly Id[]): Promise<Map<Id, AccessRequest>> {
    return this.tenancy.readTenants(actor, (tx) => this.requests.ofLogins(tx, actor.mspId, loginRequestIds));
  }

  /** Requests by tenant, newest first, with one surplus row where there are more; tenants out of reach are not in the answer. */
  async pages(actor: Actor, tenantIds: readonly Id[], page: PageRequest): Promise<Map<Id, AccessRequest[]>> {
    const visible = await this.directory.visible(actor, 'tenant', tenantIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.requests.pages(tx, actor.mspId, [...visible], page));
  }
}
