import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '@stint/contracts';
import { conflict, connection, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK } from '../tokens.ts';
import type { SourceConflictKind, SourcePerson } from './source-person.domain.ts';
import { SourceGivenRepository } from './source-given.repository.ts';
import { SourcePersonRepository } from './source-person.repository.ts';
import { SourceTechnicianService } from './source-technician.service.ts';

const resolveInput = z.object({ id: z.string(), decision: z.enum(['LINK', 'LEAVE']) });

/** A person of the source who is not here as they should be, and the technician who has their address. */
export interface SourceConflict extends SourcePerson {
  kind: SourceConflictKind | null;
  holderId: Id | null;
}

/** What stands in people's way, and what an administrator says about it. */
@Injectable()
export class SourceConflictService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly people: SourcePersonRepository,
    private readonly given: SourceGivenRepository,
    private readonly technicians: TechnicianRepository,
    private readonly tenants: TenantRepository,
    private readonly sourced: SourceTechnicianService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<SourceConflict>> {
    return this.tenancy.readTenants(actor, async (tx) => {
      const people = await this.people.conflicts(tx, actor.mspId, tenantId, page);
      const rows: SourceConflict[] = [];
      for (const person of people) {
        const holder = await this.people.holderOf(tx, actor.mspId, tenantId, person.email);
        rows.push({ ...person, kind: person.conflict, holderId: holder?.technicianId ?? null });
      }
      return connection(rows, page);
    });
  }

  /**
   * LINK: the local technician with the address is this person, and comes from the source from now on. LEAVE: they are two people, and
   * this one does not come while the other has the address. Answers the technician who was linked.
   */
  async resolve(actor: Actor, raw: unknown): Promise<Id | null> {
    const input = checkInput(resolveInput, raw);
    const conflictId = checkId(input.id, 'conflict');
    const { mspId } = actor;
    return this.tenancy.asSystem(async (tx) => {
      const person = await this.people.lock(tx, mspId, conflictId);
      if (person === null || person.conflict === null || (await this.tenants.reached(tx, actor, person.tenantId)) === null)
        throw notFound('conflict');
      if (person.conflict !== 'LOCAL_TECHNICIAN')
        throw conflict('There is nothing to decide here: it ends by itself once its cause is gone.');
      const { tenantId, objectId, email } = person;
      const holder = await this.people.holderOf(tx, mspId, tenantId, email);
      const technician = holder === null || holder.sourced ? null : await this.technicians.lock(tx, mspId, holder.technicianId);
      const record = { occurredAt: this.clock.now(), mspId, tenantId, actor, details: { objectId, email } };
      if (input.decision === 'LEAVE') {
        await this.people.setLeftAlone(tx, person, true);
        await audit(tx, { ...record, action: 'technician.left-alone', subjectId: technician?.id ?? person.id });
        return null;
      }
      if (technician === null) throw conflict('Nobody has this address any more. Wait a minute and look again.');
      if (technician.tenantId !== tenantId)
        throw conflict('This technician lives in another tenant than the source. Give one of the two another address in Entra ID.');
      await this.given.link(tx, person, technician.id);
      await audit(tx, { ...record, action: 'technician.linked', subjectId: technician.id });
      await this.sourced.settle(tx, person, actor);
      return technician.id;
    });
  }
}
