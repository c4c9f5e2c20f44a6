import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id, reason, reachOf, type Actor } from '@stint/contracts';
import { conflict, isId, newId, notFound, type Clock, type Id } from '@stint/kernel';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx, type TenantTx } from '@stint/tenancy';
import { accountOn, AccessService, allowed, entraRole, type AccessTarget } from '../access/access.service.ts';
import { AccessRequestEnding } from '../access-request/access-request-ending.ts';
import { AccessRequestRepository } from '../access-request/access-request.repository.ts';
import { auditOf } from '../audit-trail.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { EntraGrantRepository } from '../entra/entra-grant.repository.ts';
import { EntraWorkService } from '../entra/entra-work.service.ts';
import { LoginRepository } from '../login/login.repository.ts';
import { PromptService } from '../login/prompt.service.ts';
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
  /** Logins and access in Entra that waited for other people, and logins that waited for the technician's answer on the phone. */
  cancelledLogins: number;
  /** What is live or waits and remains. */
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
    private readonly access: AccessService,
    private readonly logins: LoginRepository,
    private readonly requests: AccessRequestRepository,
    private readonly ending: AccessRequestEnding,
    private readonly prompts: PromptService,
    private readonly work: DeviceWorkService,
    private readonly inEntra: EntraGrantRepository,
    private readonly entraWork: EntraWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Lengthens the technician's own running session, as far as the access rules allow now. The same extension again changes nothing. */
  async extend(actor: Actor, raw: unknown): Promise<Grant> {
    const input = checkInput(extendInput, raw);
    let technician: TechnicianCopy | null = null;
    return this.service.inTenantOfGrant(
      actor,
      input.grantId,
      async ({ grant, change }, tx) => {
        if (technician === null || grant.technicianId !== actor.id) throw notFound('grant');
        const known = await this.grants.changedBy(tx, actor.mspId, input.id);
        if (known === grant.id) return grant;
        if (known !== null) throw conflict('This id was used for another change. Make a new one.');
        const now = this.clock.now();
        const maxSeconds = await this.#maxSeconds(tx, grant, technician, now);
        const extended = await change({ do: 'extend', seconds: input.seconds, maxSeconds });
        await this.grants.addChange(tx, grant, { id: input.id, seconds: gained(grant, extended), at: now, by: actor.id });
        const details = { by: actor.id, expiresAt: instant(extended.expiresAt), before: instant(grant.expiresAt) };
        await auditOf(tx, grant, { action: 'grant.extended', subjectId: grant.id, occurredAt: now, details });
        return extended;
      },
      async (tx) => {
        technician = await this.copies.technicianHeld(tx, actor.mspId, actor.id);
        await this.access.hold(tx, actor.mspId);
      },
    );
  }

  /** The longest that the rule which decides now lets it last in all. Problem `AccessDenied` when none allows it any more. */
  async #maxSeconds(tx: TenantTx, grant: Grant, technician: TechnicianCopy, now: Date): Promise<number> {
    const decision = allowed(await this.access.decide(tx, technician, await this.#targetOf(tx, grant), now));
    if (decision.approvals > 0) throw conflict('More time needs the approval of other people: ask again for it.');
    return decision.maxSeconds;
  }

  async #targetOf(tx: TenantTx, grant: Grant): Promise<AccessTarget> {
    const { mspId, target } = grant;
    if (target.kind === 'ENTRA') return entraRole(grant, target.roleName);
    const device = await this.copies.device(tx, mspId, target.deviceId);
    const login = await this.logins.find(tx, mspId, target.loginRequestId);
    if (device === null || login === null) throw notFound('grant');
    return accountOn(device, login.accountKind);
  }

  /** Brings the end of a running session closer. */
  async shorten(actor: Actor, raw: unknown): Promise<Grant> {
    const input = checkInput(shortenInput, raw);
    return this.service.inTenantOfGrant(actor, input.id, async ({ grant, change }, tx) => {
      const shortened = await change({ do: 'shorten', expiresAt: input.expiresAt });
      const now = this.clock.now();
      await this.grants.addChange(tx, grant, { id: newId(), seconds: gained(grant, shortened), at: now, by: actor.id });
      const details = { expiresAt: instant(shortened.expiresAt), before: instant(grant.expiresAt) };
      await auditOf(tx, grant, { action: 'grant.shortened', subjectId: grant.id, occurredAt: now, details });
      return shortened;
    });
  }

  /**
   * Ends every live grant of a technician in the actor's reach, every login that waits for other people, and every one that
   * asks the technician, in one transaction across tenants, hence as the system. The technician is locked alone, so that no approval under way slips
   * through; devices are locked in the order of their ids, as everywhere.
   */
  async endAll(actor: Actor, raw: unknown): Promise<EndedAll> {
    const input = checkInput(endAllInput, raw);
    const { mspId } = actor;
    if (!isId(input.technicianId)) throw notFound('technician');
    const reach = reachOf(actor);
    return this.tenancy.asSystem(async (tx) => {
      const technician = await this.copies.technicianLocked(tx, mspId, input.technicianId);
      const now = this.clock.now();
      const ended: Grant[] = [];
      let [cancelledLogins, waitingOutside] = [0, 0];
      const theirs = (one: { technicianId: Id }) => one.technicianId === input.technicianId;
      const live = await this.grants.devicesOfLive(tx, mspId, input.technicianId);
      const waiting = await this.ending.devicesOf(tx, mspId, input.technicianId);
      const prompts = await this.prompts.openOf(tx, mspId, input.technicianId);
      for (const deviceId of [...new Set([...live, ...waiting, ...prompts.map((prompt) => prompt.deviceId)])].sort()) {
        const asking = prompts.filter((prompt) => prompt.deviceId === deviceId);
        const device = await this.copies.deviceLocked(tx, mspId, deviceId);
        const tenant = device === null ? null : await this.copies.tenant(tx, mspId, device.tenantId);
        if (device === null || tenant?.path.some((one) => reach.includes(one)) !== true) {
          waitingOutside += asking.length + (await this.requests.pendingOfDevice(tx, mspId, deviceId)).filter(theirs).length;
          continue;
        }
        cancelledLogins += await this.ending.cancelOnDevice(tx, device, theirs, input.reason, actor);
        cancelledLogins += await this.prompts.denyAll(tx, asking, actor, input.reason);
        const work = await this.work.open(tx, device, now);
        const here = await work.endAll(theirs, 'REVOKED', { kind: actor.kind, id: actor.id });
        await work.finish();
        ended.push(...here);
      }
      const inEntra = await this.#endAllInEntra(tx, actor, input, now);
      ended.push(...inEntra.ended);
      cancelledLogins += inEntra.cancelled;
      waitingOutside += inEntra.waitingOutside;
      // Somebody of another MSP or wholly out of reach answers like somebody who does not exist.
      const home = technician === null ? null : await this.copies.tenant(tx, mspId, technician.tenantId);
      const reached =
        home?.path.some((one) => reach.includes(one)) === true ||
        reach.some((one) => technician?.assignments.some(({ tenantId }) => tenantId === one));
      if (ended.length === 0 && cancelledLogins === 0 && !reached) throw notFound('technician');
      const outOfReach = waitingOutside + (await this.grants.countLive(tx, mspId, input.technicianId));
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
      return { grants: ended, cancelledLogins, outOfReach };
    });
  }

  async #endAllInEntra(
    tx: SystemTx,
    actor: Actor,
    { technicianId, reason: why }: { technicianId: Id; reason: string },
    now: Date,
  ): Promise<{ ended: Grant[]; cancelled: number; waitingOutside: number }> {
    const reach = reachOf(actor);
    const ended: Grant[] = [];
    let [cancelled, waitingOutside] = [0, 0];
    for (const id of await this.inEntra.idsOfLiveAndWaiting(tx, actor.mspId, technicianId)) {
      const request = await this.requests.lockedForEntra(tx, actor.mspId, id);
      const grant = await this.inEntra.locked(tx, actor.mspId, id);
      const tenant = await this.copies.tenant(tx, actor.mspId, grant?.tenantId ?? request?.tenantId ?? '');
      const waiting = request?.state === 'PENDING' ? [request] : [];
      if (tenant?.path.some((one) => reach.includes(one)) !== true) {
        waitingOutside += waiting.length;
        continue;
      }
      cancelled += await this.ending.cancel(tx, waiting, why, actor);
      const next = grant === null ? null : await this.entraWork.end(tx, grant, 'REVOKED', { kind: actor.kind, id: actor.id }, now);
      if (next !== null && next !== grant) ended.push(next);
    }
    return { ended, cancelled, waitingOutside };
  }
}

/** How many seconds the end moved; negative when it came closer. */
function gained(before: Pick<Grant, 'expiresAt'>, after: Pick<Grant, 'expiresAt'>): number {
  if (before.expiresAt === null || after.expiresAt === null) return 0;
  return Math.round((after.expiresAt.getTime() - before.expiresAt.getTime()) / 1000);
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
