import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id, reason, reachOf, type Actor } from '@stint/contracts';
import { conflict, isId, notFound, type Clock } from '@stint/kernel';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type TenantTx } from '@stint/tenancy';
import { accountOn, AccessService, allowed } from '../access/access.service.ts';
import { AccessRequestEnding } from '../access-request/access-request-ending.ts';
import { auditOf } from '../audit-trail.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CLOCK } from '../tokens.ts';
import type { Grant } from './grant.domain.ts';
import { GrantRepository } from './grant.repository.ts';
import { GrantService } from './grant.service.ts';

const extendInput = z.object({
  id,
  grantId: z.string(),
  seconds: z.number().int().min(60, 'must be at least 60').max(28_800, 'must be at most 28,800'),
});
const shortenInput = z.object({ id: z.string(), expiresAt: z.coerce.date() });
const endAllInput = z.object({ technicianId: z.string(), reason });

/** What `endAll` did. */
export interface EndedAll {
  grants: Grant[];
  outOfReach: number;
}

/** Changing how long running sessions last, and ending everything of one technician. */
@Injectable()
export class GrantLifeService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly grants: GrantRepository,
    private readonly copies: DirectoryRepository,
    private readonly service: GrantService,
    private readonly work: DeviceWorkService,
    private readonly access: AccessService,
    private readonly requests: AccessRequestEnding,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Lengthens the technician's own running session. The same extension again changes nothing. */
  async extend(actor: Actor, raw: unknown): Promise<Grant> {
    const input = checkInput(extendInput, raw);
    return this.service.inDeviceOf(actor, input.grantId, async (work, grant, tx) => {
      if (grant.technicianId !== actor.id) throw notFound('grant');
      const known = await this.grants.extendedBy(tx, actor.mspId, input.id);
      if (known === grant.id) return grant;
      if (known !== null) throw conflict('This id was used for another extension. Make a new one.');
      await this.#assertAllowed(tx, grant);
      const extended = await work.change(grant, { do: 'extend', seconds: input.seconds });
      const now = this.clock.now();
      await this.grants.addExtension(tx, grant, { id: input.id, seconds: extended.sessionSeconds - grant.sessionSeconds, at: now });
      const details = { by: actor.id, expiresAt: instant(extended.expiresAt), before: instant(grant.expiresAt) };
      await auditOf(tx, grant, { action: 'grant.extended', subjectId: grant.id, occurredAt: now, details });
      return extended;
    });
  }

  /** Brings the end of a running session closer. */
  async shorten(actor: Actor, raw: unknown): Promise<Grant> {
    const input = checkInput(shortenInput, raw);
    return this.service.inDeviceOf(actor, input.id, async (work, grant, tx) => {
      const shortened = await work.change(grant, { do: 'shorten', expiresAt: input.expiresAt });
      const details = { expiresAt: instant(shortened.expiresAt), before: instant(grant.expiresAt) };
      await auditOf(tx, grant, { action: 'grant.shortened', subjectId: grant.id, occurredAt: this.clock.now(), details });
      return shortened;
    });
  }

  /**
   * Ends every live grant and waiting access request of a technician in the actor's reach, in one transaction across tenants, hence as the system.
   * Devices are locked in the order of their ids, as everywhere.
   */
  async endAll(actor: Actor, raw: unknown): Promise<EndedAll> {
    const input = checkInput(endAllInput, raw);
    const { mspId } = actor;
    if (!isId(input.technicianId)) throw notFound('technician');
    const reach = reachOf(actor);
    return this.tenancy.asSystem(async (tx) => {
      const technician = await this.copies.technicianHeld(tx, mspId, input.technicianId);
      const now = this.clock.now();
      const ended: Grant[] = [];
      let cancelled = 0;
      const devices = new Set([
        ...(await this.grants.devicesOfLive(tx, mspId, input.technicianId)),
        ...(await this.requests.devicesOf(tx, mspId, input.technicianId)),
      ]);
      for (const deviceId of [...devices].sort()) {
        const device = await this.copies.deviceLocked(tx, mspId, deviceId);
        const tenant = device === null ? null : await this.copies.tenant(tx, mspId, device.tenantId);
        if (device === null || tenant?.path.some((one) => reach.includes(one)) !== true) continue;
        const work = await this.work.open(tx, device, now);
        const here = await work.endAll((grant) => grant.technicianId === input.technicianId, 'REVOKED', { kind: actor.kind, id: actor.id });
        await work.finish();
        ended.push(...here);
        const own = (request: { technicianId: string }) => request.technicianId === input.technicianId;
        cancelled += await this.requests.cancelOnDevice(tx, device, own, input.reason, { kind: actor.kind, id: actor.id });
      }
      // Somebody of another MSP or wholly out of reach answers like somebody who does not exist.
      const home = technician === null ? null : await this.copies.tenant(tx, mspId, technician.tenantId);
      const reached =
        home?.path.some((one) => reach.includes(one)) === true ||
        reach.some((one) => technician?.assignments.some(({ tenantId }) => tenantId === one));
      if (ended.length === 0 && cancelled === 0 && !reached) throw notFound('technician');
      const outOfReach = await this.grants.countLive(tx, mspId, input.technicianId);
      for (const tenantId of new Set([actor.tenantId, ...ended.map((grant) => grant.tenantId)])) {
        await auditOf(
          tx,
          { mspId, tenantId },
          {
            ...{ action: 'technician.all-ended', subjectId: input.technicianId, occurredAt: now, actor },
            details: { reason: input.reason, grants: ended.filter((grant) => grant.tenantId === tenantId).length },
          },
        );
      }
      return { grants: ended, outOfReach };
    });
  }

  /** Longer only where the rules still allow it at all: the hours included. Read without locks: whoever changes them looks again after us. */
  async #assertAllowed(tx: TenantTx, grant: Grant): Promise<void> {
    const technician = await this.copies.technician(tx, grant.mspId, grant.technicianId);
    const device = await this.copies.device(tx, grant.mspId, grant.deviceId);
    if (technician === null || device === null) throw notFound('grant');
    allowed(await this.access.decide(tx, technician, accountOn(device), this.clock.now()));
  }
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
