import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName, ed25519PublicKey, email, id } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { conflict, invalidInput, newId, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { CredentialRepository } from '../credential/credential.repository.ts';
import { RoleRepository } from '../role/role.repository.ts';
import { newMsp, type Tenant } from '../tenant/tenant.domain.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { tellTenant } from '../tenant/tenant.service.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { InvitationRepository } from './invitation.repository.ts';
import type { Technician } from './technician.domain.ts';
import { TechnicianRepository } from './technician.repository.ts';
import { TechnicianCopies } from './technician-copies.ts';
import { joinLink } from './technician.service.ts';

const redeemInput = z.object({
  token: z.string().max(64),
  displayName,
  email: email.nullish(),
  mspName: displayName.nullish(),
  credentialId: id,
  publicKey: ed25519PublicKey,
});
type RedeemInput = z.infer<typeof redeemInput>;

/** How people come in: by an invitation, and the first of all by the link that the first start prints. */
@Injectable()
export class JoiningService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly tenants: TenantRepository,
    private readonly technicians: TechnicianRepository,
    private readonly invitations: InvitationRepository,
    private readonly credentials: CredentialRepository,
    private readonly roles: RoleRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** The link that makes the first administrator, made anew at each start while there is none; null once there is. */
  async firstLink(): Promise<string | null> {
    return this.tenancy.asSystem(async (tx) => {
      if (await this.tenants.any(tx)) return null;
      const token = newToken();
      await this.invitations.putFirstLink(tx, hashToken(token));
      return joinLink(this.publicUrl, token);
    });
  }

  /** Uses a link up and registers the key of whoever held it: all of it or nothing. */
  async redeem(raw: unknown): Promise<{ technician: Technician & { tenant: Tenant | null }; credentialId: Id }> {
    const input = checkInput(redeemInput, raw);
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const technicianOf = (await this.#redeemFirst(tx, input, now)) ?? (await this.#redeemInvitation(tx, input, now));
      const { mspId, tenantId, technicianId } = technicianOf;
      const added = await this.credentials.insert(tx, {
        mspId,
        tenantId,
        id: input.credentialId,
        kind: 'TECHNICIAN',
        subjectId: technicianId,
        publicKey: input.publicKey,
      });
      if (!added) throw conflict('This credential id is taken. Make a new one and try again.');
      await this.technicians.join(tx, mspId, technicianId, input.displayName, now);
      await this.copies.changed(tx, mspId, technicianId);
      await this.copies.tellKeys(tx, mspId, technicianId);
      const technician = await this.technicians.lock(tx, mspId, technicianId);
      if (technician === null) throw new Error('A technician vanished while joining.');
      await audit(tx, {
        action: 'technician.joined',
        subjectId: technicianId,
        occurredAt: now,
        mspId,
        tenantId,
        actor: { kind: 'technician', id: technicianId },
      });
      // Along with the answer: who joins is not signed in yet and could not read it.
      const tenant = await this.tenants.find(tx, mspId, tenantId);
      return { technician: { ...technician, tenant }, credentialId: input.credentialId };
    });
  }

  async #redeemInvitation(tx: SystemTx, input: RedeemInput, now: Date): Promise<{ mspId: Id; tenantId: Id; technicianId: Id }> {
    const invitation = await this.invitations.redeem(tx, hashToken(input.token), now);
    if (invitation === null)
      throw new Problem('InvitationInvalid', 'This link was used already or has ended. Ask an administrator for a new one.');
    return invitation;
  }

  /** Makes the MSP and its first administrator, when this is the first-administrator link. */
  async #redeemFirst(tx: SystemTx, input: RedeemInput, now: Date): Promise<{ mspId: Id; tenantId: Id; technicianId: Id } | null> {
    if (!(await this.invitations.redeemFirstLink(tx, hashToken(input.token)))) return null;
    if (input.email == null) throw invalidInput('email', 'email: the first administrator must tell theirs.');
    if (input.mspName == null) throw invalidInput('mspName', 'mspName: the first administrator must name the MSP.');
    const msp = newMsp(newId(), input.mspName, now);
    const technicianId = newId();
    await this.tenants.insert(tx, msp);
    await this.technicians.insert(tx, { mspId: msp.id, tenantId: msp.id, id: technicianId, email: input.email });
    await this.roles.insert(tx, { mspId: msp.id, tenantId: msp.id, id: newId(), technicianId, role: 'ADMINISTRATOR' });
    await tellTenant(tx, msp);
    await audit(tx, {
      action: 'msp.created',
      subjectId: msp.id,
      details: { name: msp.name },
      occurredAt: now,
      mspId: msp.id,
      tenantId: msp.id,
    });
    return { mspId: msp.id, tenantId: msp.id, technicianId };
  }
}
