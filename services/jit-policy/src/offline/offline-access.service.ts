import { Inject, Injectable } from '@nestjs/common';
import { notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { Tenancy } from '@stint/tenancy';
import { accountOn, AccessService } from '../access/access.service.ts';
import { AccountRepository } from '../device-state/account.repository.ts';
import { AccountService, byOwner, ownerOf } from '../device-state/account.service.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import { allowedOffline, firstOf, maxPrepared, offlineAccess, type OfflineAccess } from './offline-access.domain.ts';
import { OfflineRepository } from './offline.repository.ts';

/** Prepares devices for logins without us. */
@Injectable()
export class OfflineAccessService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly settings: SettingsRepository,
    private readonly access: AccessService,
    private readonly accounts: AccountRepository,
    private readonly account: AccountService,
    private readonly offline: OfflineRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Who may log in offline on the calling device as things are now; chooses accounts for those who have none, and gives up those that were chosen and never used for others. The number of queries does not grow with the technicians. */
  async of(actor: Actor, deviceId: Id): Promise<OfflineAccess[]> {
    if (actor.kind !== 'device') throw new Refusal('FORBIDDEN', 'Who may log in offline is for the device itself.');
    if (deviceId !== actor.id) throw notFound('device');
    const now = this.clock.now();
    const { device, settings, decide, known } = await this.directory.readAsDevice(actor, async (tx, found) => ({
      device: found,
      settings: await this.settings.effectiveOf(tx, found.mspId, found.tenantId),
      decide: await this.access.lookAt(tx, accountOn(found)),
      known: await this.accounts.ofDevice(tx, found.mspId, found.id),
    }));
    const technicians = await this.tenancy.asSystem((tx) => this.offline.technicians(tx, device));
    const allowed = allowedOffline(technicians, (technician) => decide(technician, now));
    const lastUse =
      allowed.length > maxPrepared
        ? await this.tenancy.asSystem((tx) => this.offline.lastUse(tx, device.mspId, device.id))
        : new Map<Id, Date>();
    const chosen = firstOf(allowed, lastUse);
    let accounts = byOwner(known);
    const without = chosen.map(({ technician }) => technician).filter((technician) => !accounts.has(ownerOf(technician, settings)));
    const owners = new Set(chosen.map(({ technician }) => ownerOf(technician, settings)));
    const idle = known.filter(({ prepared, technicianId }) => prepared && !owners.has(technicianId)).map(({ id }) => id);
    if (without.length > 0 || idle.length > 0) {
      accounts = byOwner(
        await this.directory.asDevice(actor, async (tx, locked) => {
          if (idle.length > 0) await this.accounts.unprepare(tx, locked.mspId, idle, now);
          if (without.length > 0) await this.account.prepare(tx, locked, without, settings, now);
          return this.accounts.ofDevice(tx, locked.mspId, locked.id);
        }),
      );
    }
    const defaults = { sessionSeconds: settings.sessionSeconds.value, idleEndSeconds: settings.idleEndSeconds.value };
    return chosen.flatMap((one) => {
      const account = accounts.get(ownerOf(one.technician, settings));
      // One that the device is deleting just now: the next time there is a new one.
      return account === undefined || account.absentSince !== null ? [] : [offlineAccess(one, account, defaults, now)];
    });
  }
}
