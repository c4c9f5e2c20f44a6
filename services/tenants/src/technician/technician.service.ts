import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { email, id, roles, type Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { addSeconds, connection, conflict, newId, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { administersMsp, refuseAssignment } from '../role/role.domain.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { SessionService } from '../session/session.service.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, PUBLIC_URL, REVOKE, type Revoke } from '../tokens.ts';
import { ownedBySource } from '../user-source/source-person.domain.ts';
import { InvitationRepository } from './invitation.repository.ts';
import { TechnicianCopies } from './technician-copies.ts';
import { invitationSeconds, refuseSwitchOff, type Technician } from './technician.domain.ts';
import { TechnicianRepository } from './technician.repository.ts';

const roleSet = z
  .array(z.enum(roles))
  .min(1, 'must name at least one role')
  .transform((list) => [...new Set(list)]);
const inviteInput = z.object({ id, tenantId: z.string(), email, roles: roleSet });
const updateInput = z.object({ id: z.string(), active: z.boolean().nullish() });

export interface IssuedInvitation {
  technician: Technician;
  link: string;
  expiresAt: Date;
}

@Injectable()
export class TechnicianService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly technicians: TechnicianRepository,
    private readonly invitations: InvitationRepository,
    private readonly held: RoleRepository,
    private readonly tenants: TenantRepository,
    private readonly copies: TechnicianCopies,
    private readonly sessions: SessionService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
    @Inject(REVOKE) private readonly revoke: Revoke,
  ) {}

  /** Invites a technician. The same call again, before the invitation is redeemed, answers a new link and ends the old one. */
  async invite(actor: Actor, raw: unknown): Promise<IssuedInvitation> {
    const input = checkInput(inviteInput, raw);
    const now = this.clock.now();
    return this.tenancy.inTenant(actor, checkId(input.tenantId, 'tenant'), async (tx) => {
      const { mspId, tenantId } = tx.scope;
      const tenant = await this.tenants.find(tx, mspId, tenantId);
      const inserted = await this.technicians.insert(tx, { ...input, mspId, tenantId });
      const technician = await this.technicians.lock(tx, mspId, input.id);
      if (technician === null || technician.email !== input.email)
        throw conflict('Somebody with this id or email address is invited already.');
      if (technician.joined) throw conflict('This technician has joined already.');
      // Whoever holds the link joins as this technician, with all that they hold already.
      const known = inserted ? [] : await this.held.ofTechnicians(tx, mspId, [technician.id]);
      for (const role of new Set([...input.roles, ...known.map((one) => one.role)])) {
        const access = 'access' in actor ? actor.access : [];
        const refused = refuseAssignment({ role, access, path: tenant?.path ?? [], held: 0 });
        if (refused !== null) throw conflict(refused);
      }
      const token = newToken();
      const expiresAt = addSeconds(now, invitationSeconds);
      await this.invitations.put(tx, { mspId, tenantId, technicianId: technician.id, expiresAt }, hashToken(token));
      if (inserted) {
        const { displayName, active, totpEnrolled, version } = technician;
        for (const role of input.roles) await this.held.insert(tx, { mspId, tenantId, id: newId(), technicianId: technician.id, role });
        await emit(tx, 'technician-changed', {
          ...{ mspId, tenantId, technicianId: technician.id, email: technician.email, displayName, active, totpEnrolled, version },
          ...{ assignments: input.roles.map((role) => ({ tenantId, role })), groupIds: [] },
        });
      }
      await audit(tx, {
        action: 'technician.invited',
        subjectId: technician.id,
        details: { email: technician.email, ...(inserted && { roles: input.roles.join(' ') }) },
        occurredAt: now,
      });
      return { technician, link: joinLink(this.publicUrl, token), expiresAt };
    });
  }

  /** Switches a technician on or off: across tenants, because roles count that are held elsewhere. */
  async update(actor: Actor, raw: unknown): Promise<Technician> {
    const input = checkInput(updateInput, raw);
    const technicianId = checkId(input.id, 'technician');
    const { mspId } = actor;
    return this.tenancy.asSystem(async (tx) => {
      const others = await this.held.otherAdministrators(tx, mspId, technicianId);
      const before = await this.technicians.lock(tx, mspId, technicianId);
      if (before === null || (await this.tenants.reached(tx, actor, before.tenantId)) === null) throw notFound('technician');
      const active = input.active ?? !before.switchedOff;
      if (!active) {
        const administrator = (await this.held.ofTechnicians(tx, mspId, [technicianId])).some(administersMsp);
        const refused = refuseSwitchOff({ technicianId, callerId: actor.id, lastAdministrator: administrator && others === 0 });
        if (refused !== null) throw conflict(refused);
      }
      if (active && before.sourceOff) throw conflict(ownedBySource.active);
      if (before.switchedOff === !active) return before;
      await this.technicians.setSwitchedOff(tx, mspId, technicianId, !active);
      await this.copies.changed(tx, mspId, technicianId);
      tx.afterCommit(() => this.revoke(technicianId));
      if (!active) await this.sessions.endAllOf(tx, mspId, technicianId, actor);
      const { tenantId } = before;
      await audit(tx, {
        ...{ action: 'technician.changed', subjectId: technicianId, details: { active }, occurredAt: this.clock.now() },
        ...{ mspId, tenantId, actor },
      });
      return { ...before, active, switchedOff: !active, version: before.version + 1 };
    });
  }

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<Technician>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.technicians.list(tx, actor.mspId, tenantId, page)), page);
  }

  async load(actor: Actor, ids: readonly Id[]): Promise<Technician[]> {
    return this.tenancy.readTenants(actor, (tx) => this.technicians.findMany(tx, actor.mspId, ids));
  }
}

/** The address of a one-time link. The token stands behind the `#`: browsers send that part to no server, and no proxy logs it. */
export function joinLink(publicUrl: string, token: string): string {
  return `${publicUrl}/join#${token}`;
}
