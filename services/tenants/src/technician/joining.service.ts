import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { displayName, email } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { invalidInput, newId, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { PasskeyRegistrar, type RegistrationStarted } from '../passkey/passkey-registrar.ts';
import { RecoveryRedemptionService } from '../recovery/recovery-redemption.service.ts';
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

const token = z.string().max(64);
const startInput = z.object({ token, displayName: displayName.nullish(), email: email.nullish() });
const redeemInput = z.object({
  token,
  displayName,
  email: email.nullish(),
  mspName: displayName.nullish(),
  registration: z.string(),
  passkeyLabel: displayName.nullish(),
});
type RedeemInput = z.infer<typeof redeemInput>;

/** Who joins: known by the link, new by the first-administrator link. */
interface Joiner {
  mspId: Id;
  tenantId: Id;
  technicianId: Id;
}
export interface JoiningStarted extends RegistrationStarted {
  kind: 'FIRST_ADMINISTRATOR' | 'INVITATION' | 'RECOVERY';
  email: string | null;
  mspName: string | null;
}
export interface SignUp {
  technician: Technician & { tenant: Tenant | null };
  /** The passkey's credential id. */
  credentialId: string;
}

/** How people come in: by an invitation, and the first of all by the link that the first start prints. */
@Injectable()
export class JoiningService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly tenants: TenantRepository,
    private readonly technicians: TechnicianRepository,
    private readonly invitations: InvitationRepository,
    private readonly registrar: PasskeyRegistrar,
    private readonly recoveries: RecoveryRedemptionService,
    private readonly roles: RoleRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** The link that makes the first administrator, made anew at each start while there is none; null once there is. */
  async firstLink(): Promise<string | null> {
    return this.tenancy.asSystem(async (tx) => {
      if (await this.tenants.any(tx)) return null;
      const newLink = newToken();
      await this.invitations.putFirstLink(tx, hashToken(newLink));
      return joinLink(this.publicUrl, newLink);
    });
  }

  /** What the browser needs to make the passkey with which the link is redeemed. The link stays good. */
  async start(raw: unknown): Promise<JoiningStarted> {
    const input = checkInput(startInput, raw);
    const hash = hashToken(input.token);
    const made = { purpose: 'JOIN', boundTo: hash.toString('hex'), exclude: [] } as const;
    return this.tenancy.asSystem(async (tx) => {
      if (await this.invitations.isFirstLink(tx, hash)) {
        // The id that the first administrator will have: the passkey carries it.
        const who = { technicianId: newId(), name: input.email ?? 'administrator', displayName: input.displayName ?? '' };
        return { ...(await this.registrar.start(tx, { ...made, ...who })), kind: 'FIRST_ADMINISTRATOR', email: null, mspName: null };
      }
      const invitation = await this.invitations.find(tx, hash, this.clock.now());
      if (invitation === null) {
        const recovery = await this.recoveries.start(tx, hash);
        if (recovery === null) throw invitationInvalid();
        const { technician, ...started } = recovery;
        const name = (await this.tenants.find(tx, technician.mspId, technician.mspId))?.name ?? null;
        return { ...started, kind: 'RECOVERY', email: technician.email, mspName: name };
      }
      const { mspId, technicianId } = invitation;
      const technician = await this.technicians.lock(tx, mspId, technicianId);
      const msp = await this.tenants.find(tx, mspId, mspId);
      if (technician === null || !technician.active || msp === null) throw invitationInvalid();
      const who = { technicianId, name: technician.email, displayName: input.displayName ?? '' };
      const started = await this.registrar.start(tx, { ...made, ...who });
      return { ...started, kind: 'INVITATION', email: technician.email, mspName: msp.name };
    });
  }

  /** Uses a link up and registers the passkey of whoever held it: all of it or nothing. */
  async redeem(raw: unknown): Promise<SignUp> {
    const input = checkInput(redeemInput, raw);
    const now = this.clock.now();
    const hash = hashToken(input.token);
    return this.tenancy.asSystem(async (tx) => {
      // The link first: of many who redeem it at once, the others wait here and then find it used.
      const first = await this.invitations.redeemFirstLink(tx, hash);
      const invited = first ? null : await this.#invited(tx, hash, now);
      const verified = await this.registrar.verify(tx, input.registration, { purpose: 'JOIN', boundTo: hash.toString('hex') });
      const joiner = invited ?? (await this.#makeMsp(tx, input, verified.technicianId, now));
      if (verified.technicianId !== joiner.technicianId) throw new Error('A passkey was made for somebody else than who joins.');
      const { mspId, tenantId, technicianId } = joiner;
      await this.technicians.join(tx, mspId, technicianId, input.displayName, now);
      const { credentialId } = await this.registrar.add(tx, joiner, verified, input.passkeyLabel ?? 'First passkey');
      await this.copies.changed(tx, mspId, technicianId);
      await this.copies.tellKeys(tx, mspId, technicianId);
      const technician = await this.technicians.lock(tx, mspId, technicianId);
      if (technician === null) throw new Error('A technician vanished while joining.');
      await audit(tx, {
        ...{ action: 'technician.joined', subjectId: technicianId, occurredAt: now, mspId, tenantId },
        actor: { kind: 'technician', id: technicianId },
      });
      // Along with the answer: who joins is not signed in yet and could not read it.
      const tenant = await this.tenants.find(tx, mspId, tenantId);
      return { technician: { ...technician, tenant }, credentialId };
    });
  }

  async #invited(tx: SystemTx, hash: Buffer, now: Date): Promise<Joiner> {
    const invitation = await this.invitations.redeem(tx, hash, now);
    if (invitation === null) throw invitationInvalid();
    const technician = await this.technicians.lock(tx, invitation.mspId, invitation.technicianId);
    if (technician === null || !technician.active) throw invitationInvalid();
    return invitation;
  }

  /** Makes the MSP and its first administrator. */
  async #makeMsp(tx: SystemTx, input: RedeemInput, technicianId: Id, now: Date): Promise<Joiner> {
    if (input.email == null) throw invalidInput('email', 'email: the first administrator must tell theirs.');
    if (input.mspName == null) throw invalidInput('mspName', 'mspName: the first administrator must name the MSP.');
    const msp = newMsp(newId(), input.mspName, now);
    await this.tenants.insert(tx, msp);
    await this.technicians.insert(tx, { mspId: msp.id, tenantId: msp.id, id: technicianId, email: input.email });
    await this.roles.insert(tx, { mspId: msp.id, tenantId: msp.id, id: newId(), technicianId, role: 'ADMINISTRATOR' });
    await tellTenant(tx, msp);
    await audit(tx, {
      ...{ action: 'msp.created', subjectId: msp.id, occurredAt: now, mspId: msp.id, tenantId: msp.id },
      details: { name: msp.name },
    });
    return { mspId: msp.id, tenantId: msp.id, technicianId };
  }
}

function invitationInvalid(): Problem {
  return new Problem('InvitationInvalid', 'This link was used already or has ended. Ask an administrator for a new one.');
}
