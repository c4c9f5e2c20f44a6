import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { accessOf, id, reason, reachOf, type Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { addSeconds, conflict, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { RoleRepository } from '../role/role.repository.ts';
import type { Technician } from '../technician/technician.domain.ts';
import { TechnicianRepository } from '../technician/technician.repository.ts';
import { joinLink } from '../technician/technician.service.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import {
  decideRecovery,
  recoverySeconds,
  refuseAdministrator,
  type Administrator,
  type Recovery,
  type RecoveryCommand,
} from './recovery.domain.ts';
import { RecoveryRepository } from './recovery.repository.ts';

const startInput = z.object({ id, technicianId: z.string(), reason });

export interface ApprovedRecovery {
  recovery: Recovery;
  link: string;
}

/**
 * What two administrators do for somebody who has lost their passkeys. What the administrators hold counts by the roles
 * as they are now, across tenants, hence as the system. The technician's row is locked first, then the recovery.
 */
@Injectable()
export class RecoveryService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly recoveries: RecoveryRepository,
    private readonly technicians: TechnicianRepository,
    private readonly roles: RoleRepository,
    private readonly tenants: TenantRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** Starts a recovery; the same call again answers the same. */
  async start(actor: Actor, raw: unknown): Promise<Recovery> {
    const input = checkInput(startInput, raw);
    const technicianId = checkId(input.technicianId, 'technician');
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const technician = await this.#reached(tx, actor, technicianId, 'technician');
      await this.#admit(tx, actor.id, technician);
      if (!technician.active || !technician.joined)
        throw conflict('Only who has joined and is switched on can be recovered. Invite them instead.');
      const { mspId, tenantId } = technician;
      const [open] = await this.recoveries.openOf(tx, mspId, technicianId, now);
      if (open?.id === input.id && open.startedBy === actor.id) return open;
      if (open !== undefined) throw conflict('A recovery of this technician is under way. Approve or cancel it.');
      const recovery: Recovery = {
        ...{ mspId, tenantId, id: input.id, technicianId, reason: input.reason, state: 'PENDING', startedBy: actor.id, startedAt: now },
        ...{ approvedBy: null, expiresAt: addSeconds(now, recoverySeconds) },
      };
      if (!(await this.recoveries.insert(tx, recovery))) throw conflict('This id is taken. Make a new one.');
      await this.#record(tx, 'recovery.started', recovery, actor, { reason: input.reason });
      return recovery;
    });
  }

  /** Approves what another administrator started; answers the one-time link, which is shown only here. */
  async approve(actor: Actor, rawId: string): Promise<ApprovedRecovery> {
    return this.#change(actor, rawId, { do: 'approve', by: actor.id }, async (tx, recovery, technician) => {
      await this.#admit(tx, actor.id, technician);
      await this.#admit(tx, recovery.startedBy, technician);
      const token = newToken();
      await this.recoveries.save(tx, recovery, hashToken(token));
      await this.#record(tx, 'recovery.approved', recovery, actor);
      return { recovery, link: joinLink(this.publicUrl, token) };
    });
  }

  async cancel(actor: Actor, rawId: string): Promise<Recovery> {
    return this.#change(actor, rawId, { do: 'cancel' }, async (tx, recovery) => {
      await this.recoveries.save(tx, recovery);
      await this.#record(tx, 'recovery.cancelled', recovery, actor);
      return recovery;
    });
  }

  /** The recovery of a technician that waits for somebody; null for none. */
  async openOf(actor: Actor, technicianId: Id): Promise<Recovery | null> {
    const now = this.clock.now();
    return this.tenancy.readTenants(actor, async (tx) => (await this.recoveries.openOf(tx, actor.mspId, technicianId, now))[0] ?? null);
  }

  async #change<Result>(
    actor: Actor,
    rawId: string,
    command: RecoveryCommand,
    work: (tx: SystemTx, recovery: Recovery, technician: Technician) => Promise<Result>,
  ): Promise<Result> {
    const recoveryId = checkId(rawId, 'recovery');
    return this.tenancy.asSystem(async (tx) => {
      const known = await this.recoveries.find(tx, actor.mspId, recoveryId);
      if (known === null) throw notFound('recovery');
      const technician = await this.#reached(tx, actor, known.technicianId, 'recovery');
      // Read again under the technician's lock: whoever else was at it has finished.
      const before = await this.recoveries.find(tx, actor.mspId, recoveryId);
      if (before === null) throw notFound('recovery');
      const after = decideRecovery(before, command, this.clock.now());
      if ('refused' in after) throw conflict(after.refused);
      return work(tx, after, technician);
    });
  }

  /** The technician, locked, when the actor reaches their home. */
  async #reached(tx: SystemTx, actor: Actor, technicianId: Id, thing: string): Promise<Technician> {
    const technician = await this.technicians.lock(tx, actor.mspId, technicianId);
    if (technician === null || actor.kind !== 'technician') throw notFound(thing);
    const home = await this.tenants.find(tx, actor.mspId, technician.tenantId);
    if (home?.path.some((tenant) => reachOf(actor).includes(tenant)) !== true) throw notFound(thing);
    return technician;
  }

  /** Refuses an administrator who may not take part, by what they hold now. */
  async #admit(tx: SystemTx, administratorId: Id, technician: Technician): Promise<void> {
    const { mspId } = technician;
    const [found] = await this.technicians.findMany(tx, mspId, [administratorId]);
    const access = accessOf(await this.roles.ofTechnicians(tx, mspId, [administratorId]));
    const administrator: Administrator = {
      id: administratorId,
      active: found !== undefined && found.active && found.joined,
      over: access.filter(({ permissions }) => permissions.includes('technician.write')).map(({ tenantId }) => tenantId),
    };
    const held = await this.roles.ofTechnicians(tx, mspId, [technician.id]);
    const places = [technician.tenantId, ...held.map(({ tenantId }) => tenantId)];
    const paths = (await this.tenants.findMany(tx, mspId, places)).map(({ path }) => path);
    const refused = refuseAdministrator(administrator, technician.id, paths);
    if (refused !== null) throw conflict(refused);
  }

  async #record(
    tx: SystemTx,
    action: 'recovery.started' | 'recovery.approved' | 'recovery.cancelled',
    recovery: Recovery,
    actor: Actor,
    details: Record<string, string> = {},
  ): Promise<void> {
    const { mspId, tenantId, id: recoveryId, technicianId: subjectId } = recovery;
    await audit(tx, { action, subjectId, details: { recoveryId, ...details }, occurredAt: this.clock.now(), mspId, tenantId, actor });
  }
}
