import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { email, id, roles, type Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { addSeconds, connection, conflict, notFound, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit, emit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { CredentialRepository } from '../credential/credential.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, PUBLIC_URL, REVOKE, type Revoke } from '../tokens.ts';
import { InvitationRepository } from './invitation.repository.ts';
import { invitationSeconds, refuseChange, type Technician } from './technician.domain.ts';
import { TechnicianRepository } from './technician.repository.ts';

const roleSet = z
  .array(z.enum(roles))
  .min(1, 'must name at least one role')
  .transform((list) => [...new Set(list)]);
const inviteInput = z.object({ id, tenantId: z.string(), email, roles: roleSet });
const updateInput = z.object({ id: z.string(), roles: roleSet.nullish(), active: z.boolean().nullish() });

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
    private readonly credentials: CredentialRepository,
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
      const inserted = await this.technicians.insert(tx, { ...input, mspId, tenantId });
      const technician = await this.technicians.lock(tx, mspId, input.id);
      if (technician === null || technician.email !== input.email)
        throw conflict('Somebody with this id or email address is invited already.');
      if (technician.joined) throw conflict('This technician has joined already.');
      const token = newToken();
      const expiresAt = addSeconds(now, invitationSeconds);
      await this.invitations.put(tx, { mspId, tenantId, technicianId: technician.id, expiresAt }, hashToken(token));
      if (inserted) await tellTechnician(tx, technician, []);
      await audit(tx, {
        action: 'technician.invited',
        subjectId: technician.id,
        details: { email: technician.email, roles: technician.roles.join(' ') },
        occurredAt: now,
      });
      return { technician, link: joinLink(this.publicUrl, token), expiresAt };
    });
  }

  async update(actor: Actor, raw: unknown): Promise<Technician> {
    const input = checkInput(updateInput, raw);
    const technicianId = checkId(input.id, 'technician');
    return this.tenancy.inTenantOf(
      actor,
      'technician',
      async (tx) => (await this.technicians.findMany(tx, actor.mspId, [technicianId]))[0]?.tenantId ?? null,
      async (tx) => {
        const { mspId, tenantId } = tx.scope;
        const others = await this.technicians.otherAdministrators(tx, mspId, tenantId, technicianId);
        const before = await this.technicians.lock(tx, mspId, technicianId);
        if (before === null) throw notFound('technician');
        const wanted = { roles: input.roles ?? before.roles, active: input.active ?? before.active };
        const refused = refuseChange({ technician: before, callerId: actor.id, ...wanted, otherAdministrators: others });
        if (refused !== null) throw conflict(refused);
        await this.technicians.change(tx, mspId, technicianId, wanted.roles, wanted.active);
        tx.afterCommit(() => this.revoke(technicianId));
        const technician = { ...before, ...wanted, version: before.version + 1 };
        await tellTechnician(tx, technician, await this.credentials.keysOf(tx, mspId, technicianId));
        const details = { active: wanted.active, roles: wanted.roles.join(' '), rolesBefore: before.roles.join(' ') };
        await audit(tx, { action: 'technician.changed', subjectId: technicianId, details, occurredAt: this.clock.now() });
        return technician;
      },
    );
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

/** Tells the other services who a technician is now and which keys sign for them. */
export async function tellTechnician(tx: TenantTx | SystemTx, technician: Technician, keys: { id: Id; x: string }[]): Promise<void> {
  const { mspId, tenantId, id: technicianId, email: address, displayName, active, roles: held, version } = technician;
  await emit(tx, 'technician-changed', {
    mspId,
    tenantId,
    technicianId,
    email: address,
    displayName,
    active,
    roles: [...held],
    keys,
    version,
  });
}
