import { Injectable } from '@nestjs/common';
import { notFound, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { canonicalEvidence, type CanonicalEvidence } from '@stint/evidence';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import type { AccessRequest } from '../access-request/access-request.domain.ts';
import { AccessRequestRepository } from '../access-request/access-request.repository.ts';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { LoginRepository } from '../login/login.repository.ts';
import { deviceEvidence, entraEvidence, peopleOf } from './grant-evidence.view.ts';
import { isInEntra, isOnDevice, type Grant } from './grant.domain.ts';
import { GrantRepository } from './grant.repository.ts';
import { GrantService } from './grant.service.ts';

/** The record of a grant. */
@Injectable()
export class GrantEvidenceService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly grants: GrantRepository,
    private readonly service: GrantService,
    private readonly logins: LoginRepository,
    private readonly requests: AccessRequestRepository,
    private readonly copies: DirectoryRepository,
  ) {}

  /**
   * The record of a grant in the actor's reach; Problem `NotFound` otherwise. Read as the system: it names its technician
   * and approvers also to whoever reaches only the customer, because a record without names is none.
   */
  async of(actor: Actor, id: Id): Promise<CanonicalEvidence> {
    const { mspId } = await this.service.read(actor, id);
    return this.tenancy.asSystem(async (tx) => {
      const grant = await this.grants.find(tx, mspId, id);
      const tenant = grant === null ? null : await this.copies.tenant(tx, mspId, grant.tenantId);
      if (grant === null || tenant === null) throw notFound('grant');
      const request = await this.#requestOf(tx, grant);
      const changes = await this.grants.changesOf(tx, mspId, grant.id);
      const people = new Map<Id, TechnicianCopy>();
      for (const personId of peopleOf({ grant, request, changes })) {
        const person = await this.copies.technician(tx, mspId, personId);
        if (person !== null) people.set(personId, person);
      }
      if (isInEntra(grant)) return canonicalEvidence(entraEvidence({ grant, request, changes, tenant, people }));
      if (!isOnDevice(grant)) throw notFound('grant');
      const login = await this.logins.find(tx, mspId, grant.target.loginRequestId);
      const device = await this.copies.device(tx, mspId, grant.target.deviceId);
      if (login === null || device === null) throw notFound('grant');
      return canonicalEvidence(deviceEvidence({ grant, request, changes, tenant, people }, login, device));
    });
  }

  async #requestOf(tx: SystemTx, { mspId, id, target }: Grant): Promise<AccessRequest | null> {
    if (target.kind === 'ENTRA') return this.requests.find(tx, mspId, id);
    return (await this.requests.ofLogins(tx, mspId, [target.loginRequestId])).get(target.loginRequestId) ?? null;
  }
}
