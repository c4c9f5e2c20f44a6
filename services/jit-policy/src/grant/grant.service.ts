import { Inject, Injectable } from '@nestjs/common';
import { isId, newId, notFound, type Clock, type Id, type PageRequest } from '@stint/kernel';
import type { Actor, ApprovalProof } from '@stint/contracts';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import type { DecidingRule } from '../access/access.service.ts';
import type { WriteTx } from '../audit-trail.ts';
import { accountName } from '../device-state/account-name.domain.ts';
import { AccountRepository } from '../device-state/account.repository.ts';
import type { Account } from '../device-state/desired-state.domain.ts';
import { DeviceWorkService } from '../device-state/device-work.service.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { LoginRequest } from '../login/login.domain.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import { approvedGrant, type Grant } from './grant.domain.ts';
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
    private readonly accounts: AccountRepository,
    private readonly work: DeviceWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes the grant of an approval, in its transaction; `device` is locked. */
  async open(tx: WriteTx, device: DeviceCopy, approval: Approval, now: Date): Promise<Grant> {
    const { request, technician } = approval;
    const account = await this.#account(tx, device, technician, now);
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
        approval: approval.proof,
        ruleId: approval.rule.id,
        ruleName: approval.rule.name,
        maxSeconds: approval.rule.maxSeconds,
      },
      now,
    );
    const work = await this.work.open(tx, device, now);
    await work.add(grant);
    await work.finish();
    return grant;
  }

  /** Ends a grant now; one that is ending or over stays as it is. */
  async end(actor: Actor, id: Id): Promise<Grant> {
    if (!isId(id)) throw notFound('grant');
    let deviceId: Id = '';
    return this.tenancy.inTenantOf(
      actor,
      'grant',
      async (tx) => {
        const grant = await this.grants.find(tx, actor.mspId, id);
        deviceId = grant?.deviceId ?? '';
        return grant?.tenantId ?? null;
      },
      async (tx) => {
        const device = await this.copies.deviceLocked(tx, actor.mspId, deviceId);
        const grant = await this.grants.find(tx, actor.mspId, id);
        if (device === null || grant === null) throw notFound('grant');
        const work = await this.work.open(tx, device, this.clock.now());
        const ended = await work.end(grant, 'REVOKED');
        await work.finish();
        return ended;
      },
    );
  }

  /** Ends the live grants of a technician in the tenants whose path `lost` says that they may not be used there any more. */
  async endOfTechnician(tx: SystemTx, mspId: Id, technicianId: Id, lost: (path: readonly Id[]) => boolean): Promise<void> {
    for (const deviceId of await this.grants.devicesOfLive(tx, mspId, technicianId)) {
      const device = await this.copies.deviceLocked(tx, mspId, deviceId);
      if (device === null) continue;
      const tenant = await this.copies.tenant(tx, mspId, device.tenantId);
      if (lost(tenant?.path ?? [])) await this.#endLive(tx, device, (grant) => grant.technicianId === technicianId);
    }
  }

  /** Ends every live grant on a device that was revoked; `device` is locked. */
  async endOfDevice(tx: SystemTx, device: DeviceCopy): Promise<void> {
    await this.#endLive(tx, device, () => true);
  }

  /** One grant. Problem `NotFound` when it is out of reach; a device reaches only its own. */
  async read(actor: Actor, id: Id): Promise<Grant> {
    const grant = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.grants.find(tx, actor.mspId, id)) : null;
    if (grant === null || (actor.kind === 'device' && grant.deviceId !== actor.id)) throw notFound('grant');
    return grant;
  }

  /** Pages of grants by owner, newest first, with one surplus row where there are more; owners out of reach are not in the answer. */
  async pages(actor: Actor, owner: 'tenant' | 'device', ownerIds: readonly Id[], page: PageRequest): Promise<Map<Id, Grant[]>> {
    const visible = await this.directory.visible(actor, owner, ownerIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.grants.pages(tx, actor.mspId, owner, [...visible], page));
  }

  async #endLive(tx: SystemTx, device: DeviceCopy, which: (grant: Grant) => boolean): Promise<void> {
    const work = await this.work.open(tx, device, this.clock.now());
    await work.endAll(which, 'REVOKED');
    await work.finish();
  }

  async #account(tx: WriteTx, device: DeviceCopy, technician: TechnicianCopy, now: Date): Promise<Account> {
    const settings = await this.settings.effectiveOf(tx, device.mspId, device.tenantId);
    const known = await this.accounts.ofDevice(tx, device.mspId, device.id);
    const passwordLength = settings.passwordLength.value;
    const existing = known.find((account) => account.technicianId === technician.id);
    if (existing !== undefined) {
      const account: Account = { ...existing, displayName: technician.displayName, passwordLength, lastUsedAt: now, absentSince: null };
      await this.accounts.reuse(tx, account);
      return account;
    }
    const account: Account = {
      mspId: device.mspId,
      tenantId: device.tenantId,
      id: newId(),
      deviceId: device.id,
      technicianId: technician.id,
      name: accountName(settings.accountNamePrefix.value, technician.email, technician.id, new Set(known.map(({ name }) => name))),
      displayName: technician.displayName,
      passwordLength,
      lastUsedAt: now,
      absentSince: null,
      removedAt: null,
    };
    await this.accounts.insert(tx, account);
    return account;
  }
}
