import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@stint/kernel';
import type { Handler } from '@stint/messaging';
import { RecheckRepository } from '../access/recheck.repository.ts';
import { RecheckService } from '../access/recheck.service.ts';
import { AccessRequestEnding } from '../access-request/access-request-ending.ts';
import { AccessRuleService } from '../access-rule/access-rule.service.ts';
import { AccountRepository } from '../device-state/account.repository.ts';
import { GrantService } from '../grant/grant.service.ts';
import { LoginService } from '../login/login.service.ts';
import { OfflineRefreshRepository } from '../offline/offline-refresh.repository.ts';
import { CLOCK, NUDGE, type Nudge } from '../tokens.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** Keeps our copies, and draws the consequences of what changed. Messages come in any order: only a newer version counts. */
@Injectable()
export class DirectoryConsumer {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly grants: GrantService,
    private readonly logins: LoginService,
    private readonly requests: AccessRequestEnding,
    private readonly rules: AccessRuleService,
    private readonly recheck: RecheckService,
    private readonly rechecks: RecheckRepository,
    private readonly offline: OfflineRefreshRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NUDGE) private readonly nudge: Nudge,
  ) {}

  readonly tenantChanged: Handler<'tenant-changed'> = async (tx, tenant) => {
    const saved = await this.copies.saveTenant(tx, tenant);
    if (saved?.isNew === true && tenant.parentId === null) await this.rules.begin(tx, tenant.mspId);
    // Other rules apply below another parent.
    if (saved?.moved !== true) return;
    await this.rechecks.ask(tx, tenant.mspId, tenant.tenantId, this.clock.now());
    await this.offline.ask(tx, tenant.mspId, [tenant.tenantId]);
  };

  /** A technician who would not be let in any more loses what is live; approvals under way wait for this row and then see it. */
  readonly technicianChanged: Handler<'technician-changed'> = async (tx, technician) => {
    const before = await this.copies.technician(tx, technician.mspId, technician.technicianId);
    if (!(await this.copies.saveTechnician(tx, technician))) return;
    // Whatever changed, a new TOTP seed included; where nobody was or is prepared, there is nothing to tell.
    const prepared = [before, technician].filter((one) => one?.active === true && one.totpEnrolled);
    const places = prepared.flatMap((one) => one?.assignments.map(({ tenantId }) => tenantId) ?? []);
    await this.offline.ask(tx, technician.mspId, places);
    await this.accounts.renameTechnician(tx, technician.mspId, technician.technicianId, technician.displayName);
    await this.recheck.ofTechnician(tx, technician.mspId, technician.technicianId);
  };

  readonly technicianKeysChanged: Handler<'technician-keys-changed'> = async (tx, technician) => {
    await this.copies.saveKeys(tx, technician);
  };

  readonly groupChanged: Handler<'group-changed'> = async (tx, group) => {
    await this.copies.saveGroup(tx, group);
  };

  readonly deviceChanged: Handler<'device-changed'> = async (tx, message) => {
    if (!(await this.copies.saveDevice(tx, message))) return;
    const device = await this.copies.deviceLocked(tx, message.mspId, message.deviceId);
    if (device === null) return;
    // Other tags: other rules.
    if (device.active) {
      await this.offline.changed(tx, device.mspId, device.id);
      tx.afterCommit(() => this.nudge(device.id));
      return this.recheck.ofDevice(tx, device);
    }
    await this.logins.failPending(tx, device, computerRevoked);
    await this.requests.cancelOnDevice(tx, device, () => true, computerRevoked, null);
    await this.grants.endOfDevice(tx, device);
  };
}

const computerRevoked = 'The computer was revoked.';
