import { Inject, Injectable } from '@nestjs/common';
import { isId, newId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import { narrowed, type Actor, type ApprovalProof } from '@stint/contracts';
import { Tenancy, type ReadTx, type SystemTx, type TenantTx } from '@stint/tenancy';
import type { DecidingRule } from '../access/access.service.ts';
import type { WriteTx } from '../audit-trail.ts';
import { AccountService } from '../device-state/account.service.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { EntraGrantRepository } from '../entra/entra-grant.repository.ts';
import { EntraWorkService } from '../entra/entra-work.service.ts';
import type { LoginRequest } from '../login/login.domain.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import {
  approvedGrant,
  isOnDevice,
  type DeviceGrant,
  type Grant,
  type GrantCommand,
  type GrantEndReason,
  type Person,
} from './grant.domain.ts';
import { GrantRepository } from './grant.repository.ts';

/** What an approval has settled. */
export interface Approval {
  request: LoginRequest;
  technician: TechnicianCopy;
  sessionSeconds: number;
  reason: string | null;
  ticket: string | null;
  proof: ApprovalProof | null;
  rule: DecidingRule;
  /** Other people approved this duration: more of it is theirs to decide too. */
  approvedByOthers?: boolean;
}

/** A grant that is locked, by its device or by itself. */
export interface HeldGrant {
  grant: Grant;
  change: (command: GrantCommand) => Promise<Grant>;
  end: (reason: GrantEndReason, by: Person | null) => Promise<Grant>;
}

/** Making, reading and ending grants. */
@Injectable()
export class GrantService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly grants: GrantRepository,
    private readonly accounts: AccountService,
    private readonly work: DeviceWorkService,
    private readonly inEntra: EntraGrantRepository,
    private readonly entraWork: EntraWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes the grant of an approval, in its transaction; `device` is locked. */
  async open(tx: WriteTx, device: DeviceCopy, approval: Approval, now: Date): Promise<DeviceGrant> {
    const { request, technician } = approval;
    const settings = await this.settings.effectiveOf(tx, device.mspId, device.tenantId);
    const account = await this.accounts.forGrant(tx, device, technician, settings, now);
    const grant = approvedGrant(
      {
        mspId: request.mspId,
        tenantId: request.tenantId,
        id: newId(),
        technicianId: technician.id,
        target: {
          ...{ kind: 'DEVICE', deviceId: device.id, loginRequestId: request.id, accountId: account.id, accountName: account.name },
          ...{ idleEndSeconds: settings.idleEndSeconds.value, removeNewPrivileged: settings.removeNewPrivileged.value },
        },
        reason: approval.reason,
        ticket: approval.ticket,
        sessionSeconds: approval.sessionSeconds,
        approval: approval.proof,
        ruleId: approval.rule.id,
        ruleName: approval.rule.name,
        ruleMaxSeconds: approval.rule.maxSeconds,
        maxSeconds: approval.approvedByOthers === true ? approval.sessionSeconds : approval.rule.maxSeconds,
      },
      now,
    );
    const work = await this.work.open(tx, device, now);
    await work.add(grant);
    await work.finish();
    return grant;
  }

  /** Ends a grant now: one's own, or with `grant.end` on its tenant anybody's. One that is ending or over stays as it is. */
  async end(actor: Actor, id: Id): Promise<Grant> {
    const known = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.grants.find(tx, actor.mspId, id)) : null;
    const reach = known?.technicianId === actor.id ? actor : narrowed(actor, ['grant.end']);
    return this.inTenantOfGrant(reach, id, ({ end }) => end('REVOKED', { kind: actor.kind, id: actor.id }));
  }

  /** Works on a locked grant in the actor's reach; `hold` takes what must be locked before. Problem `NotFound` when it is out of reach. */
  async inTenantOfGrant<Result>(
    actor: Actor,
    id: Id,
    run: (held: HeldGrant, tx: TenantTx) => Promise<Result>,
    hold: (tx: ReadTx) => Promise<void> = async () => undefined,
  ): Promise<Result> {
    if (!isId(id)) throw notFound('grant');
    let found: Grant | null = null;
    return this.tenancy.inTenantOf(
      actor,
      'grant',
      async (tx) => {
        found = await this.grants.find(tx, actor.mspId, id);
        if (found !== null) await hold(tx);
        return found?.tenantId ?? null;
      },
      async (tx) => {
        if (found === null) throw notFound('grant');
        return isOnDevice(found) ? this.#onDevice(tx, found, run) : this.#inEntra(tx, found, run);
      },
    );
  }

  async #onDevice<Result>(tx: TenantTx, found: DeviceGrant, run: (held: HeldGrant, tx: TenantTx) => Promise<Result>): Promise<Result> {
    const device = await this.copies.deviceLocked(tx, found.mspId, found.target.deviceId);
    // Read again: whoever held the device before may have changed it meanwhile.
    const grant = await this.grants.find(tx, found.mspId, found.id);
    if (device === null || grant === null || !isOnDevice(grant)) throw notFound('grant');
    const work = await this.work.open(tx, device, this.clock.now());
    const change = (command: GrantCommand) => work.change(grant, command);
    const end = (reason: GrantEndReason, by: Person | null) => work.end(grant, reason, by);
    const result = await run({ grant, change, end }, tx);
    await work.finish();
    return result;
  }

  async #inEntra<Result>(tx: TenantTx, found: Grant, run: (held: HeldGrant, tx: TenantTx) => Promise<Result>): Promise<Result> {
    const grant = await this.inEntra.locked(tx, found.mspId, found.id);
    if (grant === null) throw notFound('grant');
    const now = this.clock.now();
    const change = (command: GrantCommand) => this.entraWork.change(tx, grant, command, now);
    const end = (reason: GrantEndReason, by: Person | null) => this.entraWork.end(tx, grant, reason, by, now);
    return run({ grant, change, end }, tx);
  }

  /** Ends every live grant on a device that was revoked; `device` is locked. */
  async endOfDevice(tx: SystemTx, device: DeviceCopy): Promise<void> {
    await this.#endLive(tx, device, () => true, 'REVOKED');
  }

  /** One grant. Problem `NotFound` when it is out of reach; a device reaches only its own. */
  async read(actor: Actor, id: Id): Promise<Grant> {
    const grant = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.grants.find(tx, actor.mspId, id)) : null;
    if (grant === null || (actor.kind === 'device' && !isOn(grant, actor.id))) throw notFound('grant');
    return grant;
  }

  /** Pages of grants by owner, newest first, with one surplus row where there are more; owners out of reach are not in the answer. */
  async pages(
    actor: Actor,
    owner: 'tenant' | 'device' | 'technician',
    ownerIds: readonly Id[],
    page: PageRequest,
  ): Promise<Map<Id, Grant[]>> {
    if (owner === 'technician') return this.#pagesOfTechnicians(actor, ownerIds.filter(isId), page);
    const visible = await this.directory.visible(actor, owner, ownerIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.grants.pages(tx, actor.mspId, owner, [...visible], page));
  }

  /** A technician often lives above the caller's reach; their grants in it are visible all the same. */
  async #pagesOfTechnicians(actor: Actor, ids: readonly Id[], page: PageRequest): Promise<Map<Id, Grant[]>> {
    return this.tenancy.readTenants(actor, async (tx) => {
      const visible = await this.copies.visible(tx, actor.mspId, 'technician', ids);
      const pages = await this.grants.pages(tx, actor.mspId, 'technician', ids, page);
      for (const [id, grants] of pages) if (grants.length === 0 && !visible.has(id)) pages.delete(id);
      return pages;
    });
  }

  async #endLive(tx: SystemTx, device: DeviceCopy, which: (grant: Grant) => boolean, reason: GrantEndReason): Promise<void> {
    const work = await this.work.open(tx, device, this.clock.now());
    await work.endAll(which, reason);
    await work.finish();
  }
}

function isOn(grant: Grant, deviceId: Id): boolean {
  return isOnDevice(grant) && grant.target.deviceId === deviceId;
}
