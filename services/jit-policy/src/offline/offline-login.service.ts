import { Inject, Injectable } from '@nestjs/common';
import { isId, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { accountOn, AccessService } from '../access/access.service.ts';
import type { Decision } from '../access/access.domain.ts';
import { auditOf } from '../audit-trail.ts';
import { AccountRepository } from '../device-state/account.repository.ts';
import type { Account } from '../device-state/desired-state.domain.ts';
import { DeviceWorkService, type DeviceWork } from '../device-state/device-work.service.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { DeviceGrant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { LoginRepository } from '../login/login.repository.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import {
  beganAt,
  checkShape,
  newLogins,
  objections,
  offlineGrant,
  offlineRequest,
  type Known,
  type OfflineLock,
  type OfflineLogin,
} from './offline-login.domain.ts';
import { OfflineRepository } from './offline.repository.ts';

/** What all logins of one report share. */
interface Report {
  tx: SystemTx;
  device: DeviceCopy;
  tenantName: string;
  settings: { idleEndSeconds: number; removeNewPrivileged: boolean };
  decide: (technician: TechnicianCopy, at: Date) => Decision;
  work: DeviceWork;
  now: Date;
}

/** Takes what computers decided by themselves while they could not reach us. */
@Injectable()
export class OfflineLoginService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly access: AccessService,
    private readonly accounts: AccountRepository,
    private readonly grants: GrantRepository,
    private readonly logins: LoginRepository,
    private readonly work: DeviceWorkService,
    private readonly offline: OfflineRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Takes all of it or nothing; what was taken before does nothing. Answers the newest revision of the desired state. */
  async report(actor: Actor, logins: readonly OfflineLogin[], locks: readonly OfflineLock[]): Promise<number> {
    checkShape(logins, locks);
    // Is it a device, and one that counts? Patient with one that was enrolled a moment ago.
    await this.directory.readAsDevice(actor, () => Promise.resolve());
    // As the system: technicians live above the device's tenant, where the device cannot look. Everything is looked up by the device's own ids.
    return this.tenancy.asSystem(async (tx) => {
      const technicians = await this.#technicians(tx, actor, [...logins, ...locks]);
      await this.access.hold(tx, actor.mspId);
      const device = await this.copies.deviceLocked(tx, actor.mspId, actor.id);
      const tenant = device === null ? null : await this.copies.tenant(tx, device.mspId, device.tenantId);
      if (device === null || tenant === null) throw new Error(`No copy of device ${actor.id}.`);
      const { mspId, id: deviceId } = device;
      const accounts = await this.accounts.findMany(
        tx,
        mspId,
        deviceId,
        logins.map(({ accountId }) => accountId),
      );
      const known: Known = {
        // Whoever lost the last role here while the device was away still has the account: what happened must be told.
        technicians: byId(
          technicians.filter((one) => belongs(one, tenant.path) || accounts.some(({ technicianId }) => technicianId === one.id)),
        ),
        accounts: byId(accounts),
        logins: byId(
          await this.logins.findMany(
            tx,
            mspId,
            logins.map(({ id }) => id),
          ),
        ),
        grants: byId(
          await this.grants.findMany(
            tx,
            mspId,
            logins.map(({ grantId }) => grantId),
          ),
        ),
      };
      const fresh = newLogins(device, logins, known);
      const now = this.clock.now();
      const { idleEndSeconds, removeNewPrivileged } = await this.settings.effectiveOf(tx, mspId, device.tenantId);
      const report: Report = {
        ...{ tx, device, now, tenantName: tenant.name },
        settings: { idleEndSeconds: idleEndSeconds.value, removeNewPrivileged: removeNewPrivileged.value },
        decide: await this.access.lookAt(tx, accountOn(device)),
        work: await this.work.open(tx, device, now),
      };
      const here = (await this.accounts.ofDevice(tx, mspId, deviceId)).filter(({ absentSince }) => absentSince === null);
      const live = new Map(here.map(({ technicianId, id }) => [technicianId, id]));
      for (const login of fresh) {
        const technician = known.technicians.get(login.technicianId);
        const account = known.accounts.get(login.accountId);
        if (technician !== undefined && account !== undefined) await this.#take(report, login, technician, account, live);
      }
      for (const lock of await this.offline.newLocks(tx, device, locks, now)) {
        // Whoever has nothing to do with the device (any more) is not named; that there was a lock is told all the same.
        const technicianId = lock.technicianId != null && known.technicians.has(lock.technicianId) ? lock.technicianId : null;
        await this.#locked(report, { ...lock, technicianId });
      }
      return report.work.finish();
    });
  }

  async #take(report: Report, login: OfflineLogin, technician: TechnicianCopy, account: Account, live: Map<Id | null, Id>): Promise<void> {
    const { tx, device, work, now } = report;
    const decision = report.decide(technician, beganAt(login, now));
    const { denied, cutFrom, missing } = objections(login, technician, decision);
    const grant = offlineGrant(login, account, decision, report.settings, now);
    await this.logins.insert(
      tx,
      offlineRequest(login, device, { tenantName: report.tenantName, sessionSeconds: grant.sessionSeconds }, now),
    );
    // An account that was seen gone before, or is to go, is there again, unless another one took its place.
    const replaced = (live.get(account.technicianId) ?? account.id) !== account.id;
    if (!replaced) {
      const lastUsedAt = account.lastUsedAt > grant.approvedAt ? account.lastUsedAt : grant.approvedAt;
      await this.accounts.reuse(tx, { ...account, lastUsedAt });
      live.set(account.technicianId, account.id);
    }
    await work.add(grant);
    const details = {
      grantId: grant.id,
      deviceId: device.id,
      hostName: device.hostName,
      technicianId: technician.id,
      accountName: grant.target.accountName,
      beganAt: grant.approvedAt.toISOString(),
      sessionSeconds: grant.sessionSeconds,
      reason: grant.reason,
      ticket: grant.ticket,
      rule: grant.ruleName,
    };
    await this.#audit(report, 'login.offline', grant, { ...details, ...(cutFrom !== null && { cutFrom }) });
    const why = denied ?? (replaced ? 'The account does not exist any more.' : null);
    if (why !== null) await work.end(grant, 'ACCESS_REMOVED');
    // Said aloud: access that should not have been.
    const failure = [
      why,
      cutFrom === null ? null : `The session was longer than the access rule allows (${grant.sessionSeconds} s) and was cut.`,
      missing.length === 0 ? null : `The access rule demands a ${missing.join(' and a ')}; none was given.`,
    ].filter((one) => one !== null);
    if (failure.length > 0) await this.#audit(report, 'login.offline-refused', grant, { ...details, cutFrom, failure: failure.join(' ') });
  }

  async #audit(
    { tx, device, now }: Report,
    action: 'login.offline' | 'login.offline-refused',
    grant: DeviceGrant,
    details: object,
  ): Promise<void> {
    // The device says so: it is the actor, whoever it names.
    const actor = { kind: 'device', id: device.id } as const;
    await auditOf(tx, device, { action, subjectId: grant.target.loginRequestId, occurredAt: now, actor, details: { ...details } });
  }

  async #locked({ tx, device, now }: Report, { id, technicianId, failures, secondsAgo }: OfflineLock): Promise<void> {
    await auditOf(tx, device, {
      action: 'totp.offline-locked',
      subjectId: device.id,
      occurredAt: now,
      actor: { kind: 'device', id: device.id },
      details: {
        lockId: id,
        hostName: device.hostName,
        technicianId: technicianId ?? null,
        failures,
        lockedAt: beganAt({ secondsAgo }, now).toISOString(),
      },
    });
  }

  /** Those who are named, held in the order of their ids: what is decided on them stays true. */
  async #technicians(tx: SystemTx, actor: Actor, named: readonly { technicianId?: Id | null | undefined }[]): Promise<TechnicianCopy[]> {
    const ids = new Set(named.flatMap(({ technicianId }) => (isId(technicianId) ? [technicianId] : [])));
    const found: TechnicianCopy[] = [];
    for (const id of [...ids].sort()) {
      const technician = await this.copies.technicianHeld(tx, actor.mspId, id);
      if (technician !== null) found.push(technician);
    }
    return found;
  }
}

/** At home on the device's tenant or above it, or with a role there. */
function belongs(technician: TechnicianCopy, path: readonly Id[]): boolean {
  return path.includes(technician.tenantId) || technician.assignments.some(({ tenantId }) => path.includes(tenantId));
}

function byId<Thing extends { id: Id }>(things: readonly Thing[]): Map<Id, Thing> {
  return new Map(things.map((thing) => [thing.id, thing]));
}
