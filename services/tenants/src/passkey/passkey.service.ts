import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { asSelf, displayName, type Actor } from '@stint/contracts';
import { readPasskeyResponse } from '@stint/crypto';
import { conflict, notFound, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { TechnicianCopies } from '../technician/technician-copies.ts';
import type { Technician } from '../technician/technician.domain.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK } from '../tokens.ts';
import { isFreshSignIn, refuseAnother, refuseRemoval, type Passkey } from './passkey.domain.ts';
import { PasskeyRegistrar, type RegistrationStarted } from './passkey-registrar.ts';
import { PasskeyRepository } from './passkey.repository.ts';

const registerInput = z.object({ registration: z.string(), label: displayName });

/** A technician's own passkeys. Their copies at other services and the challenges are the system's, hence as the system, for the caller's own rows only. */
@Injectable()
export class PasskeyService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly passkeys: PasskeyRepository,
    private readonly registrar: PasskeyRegistrar,
    private readonly technicians: TechnicianRepository,
    private readonly copies: TechnicianCopies,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async start(actor: Actor): Promise<RegistrationStarted> {
    requireFreshSignIn(actor, this.clock.now());
    return this.tenancy.asSystem(async (tx) => {
      const { id, email, displayName: name } = await this.#self(tx, actor);
      const exclude = await this.passkeys.ofTechnicians(tx, actor.mspId, [id]);
      const refused = refuseAnother(exclude.length);
      if (refused !== null) throw conflict(refused);
      return this.registrar.start(tx, { purpose: 'REGISTER', boundTo: id, technicianId: id, name: email, displayName: name, exclude });
    });
  }

  /** Registers another passkey of the caller; the same call again answers the same passkey. */
  async register(actor: Actor, raw: unknown): Promise<Passkey> {
    const input = checkInput(registerInput, raw);
    requireFreshSignIn(actor, this.clock.now());
    return this.tenancy.asSystem(async (tx) => {
      const { mspId, tenantId, id: technicianId } = await this.#self(tx, actor);
      const known = await this.passkeys.ofTechnicians(tx, mspId, [technicianId]);
      const again = known.find(({ credentialId }) => credentialId === readPasskeyResponse(input.registration)?.passkeyId);
      if (again !== undefined) return again;
      const verified = await this.registrar.verify(tx, input.registration, { purpose: 'REGISTER', boundTo: technicianId });
      const passkey = await this.registrar.add(tx, { mspId, tenantId, technicianId }, verified, input.label);
      await this.copies.tellKeys(tx, mspId, technicianId);
      return passkey;
    });
  }

  async remove(actor: Actor, rawId: string): Promise<Technician> {
    const passkeyId = checkId(rawId, 'passkey');
    const now = this.clock.now();
    requireFreshSignIn(actor, now);
    return this.tenancy.asSystem(async (tx) => {
      const { mspId, tenantId, id: technicianId } = await this.#self(tx, actor);
      const known = await this.passkeys.ofTechnicians(tx, mspId, [technicianId]);
      const found = known.find(({ id }) => id === passkeyId);
      if (found === undefined) throw notFound('passkey');
      const refused = refuseRemoval(known.length);
      if (refused !== null) throw conflict(refused);
      await this.passkeys.remove(tx, mspId, technicianId, [passkeyId]);
      await this.copies.tellKeys(tx, mspId, technicianId);
      await audit(tx, {
        ...{ action: 'passkey.removed', subjectId: technicianId, occurredAt: now, mspId, tenantId, actor },
        details: { passkeyId, label: found.label },
      });
      return this.#self(tx, actor);
    });
  }

  async ofTechnicians(actor: Actor, technicianIds: readonly Id[]): Promise<Passkey[]> {
    return this.tenancy.readTenants(actor, (tx) => this.passkeys.ofTechnicians(tx, actor.mspId, technicianIds));
  }

  /** The caller's own row, locked. */
  async #self(tx: SystemTx, caller: Actor): Promise<Technician> {
    const actor = asSelf(caller);
    const technician = await this.technicians.lock(tx, actor.mspId, actor.id);
    if (technician === null || !technician.active) throw notFound('technician');
    return technician;
  }
}

/** Refuses (`SignInTooOld`) a technician who has not proved a passkey within the last 5 minutes: whoever finds an open browser cannot change how its owner signs in. */
export function requireFreshSignIn(actor: Actor, now: Date): void {
  if (actor.kind === 'technician' && isFreshSignIn(actor.signedInAt, now)) return;
  throw new Problem('SignInTooOld', 'Sign in with your passkey again, then repeat this within 5 minutes.');
}
