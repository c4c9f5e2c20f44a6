import { Inject, Injectable } from '@nestjs/common';
import { isId, newId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import { narrowed, type Actor, type ApprovalProof } from '@stint/contracts';
import { Tenancy, type ReadTx, type SystemTx, type TenantTx } from '@stint/tenancy';
import type { DecidingRule } from '../access/access.service.ts';
import type { WriteTx } from '../audit-trail.ts';
import { AccountService } from '../device-state/account.service.ts';
import { DeviceWorkService, type DeviceWork } from '../device-state/device-work.service.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { LoginRequest } from '../login/login.domain.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import { approvedGrant, type Grant, type GrantEndReason } from './grant.domain.ts';
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
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes the grant of an approval, in its transaction; `device` is locked. */
  async open(tx: WriteTx, device: DeviceCopy, approval: Approval, now: Date): Promise<Grant> {
    const { request, technician } = approval;
    const settings = await this.settings.effectiveOf(tx, device.mspId, device.tenantId);
    const account = await this.accounts.forGrant(tx, device, technician, settings, now);
    const grant = approvedGrant(
      {
        mspId: request.mspId,
        tenantId: request.tenantId,
        id: newId(),
        loginRequestId: request.id,
        deviceId: device.id,
        technicianId: technician.id,
        accountId: account.id,
        accountName: account.name,
        reason: approval.reason,
        ticket: approval.ticket,
        sessionSeconds: approval.sessionSeconds,
        idleEndSeconds: settings.idleEndSeconds.value,
        removeNewPrivileged: settings.removeNewPrivileged.value,
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
    return this.inDeviceOf(reach, id, (work, grant) => work.end(grant, 'REVOKED', { kind: actor.kind, id: actor.id }));
  }

  /** Works on a grant in the actor's reach with its device locked; `hold` takes what must be locked before. Problem `NotFound` when it is out of reach. */
  async inDeviceOf<Result>(
    actor: Actor,
    id: Id,
    run: (work: DeviceWork, grant: Grant, tx: TenantTx, device: DeviceCopy) => Promise<Result>,
    hold: (tx: ReadTx) => Promise<void> = async () => undefined,
  ): Promise<Result> {
    if (!isId(id)) throw notFound('grant');
    let deviceId: Id = '';
    return this.tenancy.inTenantOf(
      actor,
      'grant',
      async (tx) => {
        const grant = await this.grants.find(tx, actor.mspId, id);
        deviceId = grant?.deviceId ?? '';
        if (grant !== null) await hold(tx);
        return grant?.tenantId ?? null;
      },
      async (tx) => {
        const device = await this.copies.deviceLocked(tx, actor.mspId, deviceId);
        const grant = await this.grants.find(tx, actor.mspId, id);
        if (device === null || grant === null) throw notFound('grant');
        const work = await this.work.open(tx, device, this.clock.now());
        const result = await run(work, grant, tx, device);
        await work.finish();
        return result;
      },
    );
  }

  /** Ends every live grant on a device that was revoked; `device` is locked. */
  async endOfDevice(tx: SystemTx, device: DeviceCopy): Promise<void> {
    await this.#endLive(tx, device, () => true, 'REVOKED');
  }

  /** One grant. Problem `NotFound` when it is out of reach; a device reaches only its own. */
  async read(actor: Actor, id: Id): Promise<Grant> {
    const grant = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.grants.find(tx, actor.mspId, id)) : null;
    if (grant === null || (actor.kind === 'device' && grant.deviceId !== actor.id)) throw notFound('grant');
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
