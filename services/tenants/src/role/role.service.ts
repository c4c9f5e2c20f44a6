import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id, roles, type Actor } from '@stint/contracts';
import { conflict, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import { refuseAssignment, refuseRemoval, type HeldRole } from './role.domain.ts';
import { RoleRepository } from './role.repository.ts';

const assignInput = z.object({ id, technicianId: z.string(), tenantId: z.string(), role: z.enum(roles) });

/**
 * Giving and taking roles. A technician often lives above the tenant on which a role is held, so both rows are written
 * across tenants, as the system; that the caller reaches both is looked up in the same transaction.
 */
@Injectable()
export class RoleService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly held: RoleRepository,
    private readonly technicians: TechnicianRepository,
    private readonly tenants: TenantRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revoke: Revoke,
  ) {}

  /** Gives a role; the same call again answers the same. */
  async assign(actor: Actor, raw: unknown): Promise<HeldRole> {
    const input = checkInput(assignInput, raw);
    const technicianId = checkId(input.technicianId, 'technician');
    const { mspId } = actor;
    const wanted: HeldRole = {
      mspId,
      tenantId: checkId(input.tenantId, 'tenant'),
      id: input.id,
      technicianId,
      role: input.role,
      fromSource: false,
    };
    return this.tenancy.asSystem(async (tx) => {
      const technician = await this.technicians.lock(tx, mspId, technicianId);
      if (technician === null || (await this.tenants.reached(tx, actor, technician.tenantId)) === null) throw notFound('technician');
      const tenant = await this.tenants.reached(tx, actor, wanted.tenantId);
      if (tenant === null) throw notFound('tenant');
      const before = await this.held.ofTechnicians(tx, mspId, [technicianId]);
      const access = 'access' in actor ? actor.access : [];
      const refused = refuseAssignment({ role: wanted.role, access, path: tenant.path, held: before.length });
      const known = before.find(({ tenantId, role }) => tenantId === wanted.tenantId && role === wanted.role);
      if (known?.id === wanted.id) return known;
      if (known !== undefined) throw conflict('The technician holds this role there already.');
      if (refused !== null) throw conflict(refused);
      // Whoever invited them may still hold the link, and would join with more than they could give.
      if (!technician.joined) throw conflict('This technician has not joined yet. Give the role then, or name it in the invitation.');
      if (!(await this.held.insert(tx, wanted))) throw conflict('This id is taken. Make a new one.');
      await this.copies.changed(tx, mspId, technicianId);
      tx.afterCommit(() => this.revoke(technicianId));
      const details = { technicianId, role: wanted.role };
      await audit(tx, {
        action: 'role.assigned',
        subjectId: wanted.id,
        details,
        occurredAt: this.clock.now(),
        mspId,
        tenantId: tenant.id,
        actor,
      });
      return wanted;
    });
  }

  /** Takes a role away. */
  async remove(actor: Actor, rawId: string): Promise<Id> {
    const roleId = checkId(rawId, 'role');
    const { mspId } = actor;
    return this.tenancy.asSystem(async (tx) => {
      const found = await this.held.find(tx, mspId, roleId);
      if (found === null || (await this.tenants.reached(tx, actor, found.tenantId)) === null) throw notFound('role');
      const others = await this.held.otherAdministrators(tx, mspId, found.technicianId);
      const technician = await this.technicians.lock(tx, mspId, found.technicianId);
      if (technician === null || (await this.held.find(tx, mspId, roleId)) === null) throw notFound('role');
      const refused = refuseRemoval(found, others);
      if (refused !== null) throw conflict(refused);
      await this.held.remove(tx, mspId, roleId);
      await this.copies.changed(tx, mspId, found.technicianId);
      tx.afterCommit(() => this.revoke(found.technicianId));
      const details = { technicianId: found.technicianId, role: found.role };
      await audit(tx, {
        action: 'role.removed',
        subjectId: roleId,
        details,
        occurredAt: this.clock.now(),
        mspId,
        tenantId: found.tenantId,
        actor,
      });
      return found.technicianId;
    });
  }

  /** The roles of several technicians, as far as the actor reaches the tenants on which they are held. */
  async ofTechnicians(actor: Actor, technicianIds: readonly Id[]): Promise<HeldRole[]> {
    return this.tenancy.readTenants(actor, (tx) => this.held.ofTechnicians(tx, actor.mspId, technicianIds));
  }
}
