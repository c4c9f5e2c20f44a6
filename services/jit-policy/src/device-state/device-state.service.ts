import { Inject, Injectable } from '@nestjs/common';
import { invalidInput, isId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { Tenancy, type TenantTx } from '@stint/tenancy';
import { auditOf } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { isLive, isOnDevice } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { CLOCK } from '../tokens.ts';
import { AccountRepository } from './account.repository.ts';
import { checkInSeconds, desiredAccount, type Account, type DesiredAccount } from './desired-state.domain.ts';
import { DeviceWorkService, type DeviceWork } from './device-work.service.ts';
import { checkReports, checkStrays, commandOf, maxReports, type AccountReport, type StrayAccount } from './report.domain.ts';
import { StrayAccountRepository } from './stray-account.repository.ts';

/** What the accounts on a device must look like; `accounts` is null when the agent has the newest revision. */
export interface DesiredState {
  revision: number;
  accounts: DesiredAccount[] | null;
  checkInSeconds: number;
  /** Another one than before: who may log in offline may have changed. */
  offlineRevision: number;
}

/** Desired state towards devices, and what they report back. */
@Injectable()
export class DeviceStateService {
  constructor(
    private readonly directory: DirectoryService,
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    private readonly work: DeviceWorkService,
    private readonly strays: StrayAccountRepository,
    private readonly tenancy: Tenancy,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The desired state of the calling device. */
  async desired(actor: Actor, deviceId: Id, knownRevision: number | null): Promise<DesiredState> {
    if (actor.kind !== 'device') throw new Refusal('FORBIDDEN', 'The desired state is for the device itself.');
    if (deviceId !== actor.id) throw notFound('device');
    return this.directory.readAsDevice(actor, async (tx, { mspId, id, revision, offlineRevision }) => {
      // The revision was read before the accounts: what changes in between comes again with the next one.
      if (knownRevision === revision) {
        const state = (await this.grants.hasOpen(tx, mspId, id)) ? ([{ state: 'ACTIVE' }] as const) : [];
        return { revision, accounts: null, checkInSeconds: checkInSeconds(state), offlineRevision };
      }
      const now = this.clock.now();
      const grants = await this.grants.openOfDevice(tx, mspId, id);
      const accounts = await this.accounts.ofDevice(tx, mspId, id);
      const desired = accounts
        .filter(({ prepared }) => !prepared)
        .map((account) =>
          desiredAccount(
            account,
            grants.filter((grant) => grant.target.accountId === account.id),
            now,
          ),
        );
      return { revision, accounts: desired, checkInSeconds: checkInSeconds(grants), offlineRevision };
    });
  }

  /** Takes what the agent read back, all reports or none; repeated and late ones do nothing. Answers the newest revision. */
  async report(actor: Actor, revision: number, reports: readonly AccountReport[]): Promise<number> {
    if (reports.length > maxReports) throw invalidInput('reports', `At most ${maxReports} reports at once.`);
    return this.directory.asDevice(actor, async (tx, device) => {
      const accounts = byId(
        await this.accounts.findMany(tx, device.mspId, device.id, reports.map(({ accountId }) => accountId).filter(isId)),
      );
      const grantIds = reports.flatMap(({ grantId }) => (isId(grantId) ? [grantId] : []));
      const grants = (await this.grants.findMany(tx, device.mspId, grantIds)).filter(isOnDevice);
      checkReports(revision, reports, accounts, byId(grants));
      const now = this.clock.now();
      const work = await this.work.open(tx, device, now);
      for (const report of reports) await this.#take(tx, device, work, report, revision, accounts, now);
      return work.finish();
    });
  }

  /** Takes all strays that there are on the calling device now; new ones are audited once. Answers the newest revision. */
  async reportStrays(actor: Actor, strays: readonly { accountId: Id; name: string }[]): Promise<number> {
    checkStrays(strays);
    return this.directory.asDevice(actor, async (tx, device) => {
      const now = this.clock.now();
      for (const { accountId, name } of await this.strays.replace(tx, device, strays, now)) {
        const details = { accountId, name, hostName: device.hostName };
        await auditOf(tx, device, { action: 'device.stray-account', subjectId: device.id, occurredAt: now, details });
      }
      // The server knows the account after all, as one that was seen gone (a computer set back to a snapshot): gone it must be again.
      const known = await this.accounts.findMany(
        tx,
        device.mspId,
        device.id,
        strays.map(({ accountId }) => accountId),
      );
      const work = await this.work.open(tx, device, now);
      for (const account of known.filter(({ removedAt }) => removedAt !== null)) {
        await this.accounts.reappeared(tx, account, now);
        work.touch();
      }
      return work.finish();
    });
  }

  /** The strays of several devices that the actor reaches. */
  async straysOf(actor: Actor, deviceIds: readonly Id[]): Promise<Map<Id, StrayAccount[]>> {
    const visible = await this.directory.visible(actor, 'device', deviceIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, (tx) => this.strays.ofDevices(tx, actor.mspId, [...visible]));
  }

  async #take(
    tx: TenantTx,
    device: DeviceCopy,
    work: DeviceWork,
    report: AccountReport,
    revision: number,
    accounts: Map<Id, Account>,
    now: Date,
  ): Promise<void> {
    const known = accounts.get(report.accountId);
    if (known === undefined) return;
    let account = known;
    // Seen gone before: the same report once more, or of an offline login on an account that came back.
    const isGone = known.removedAt !== null;
    if (!isGone && report.name != null && report.name !== account.name) {
      account = { ...account, name: report.name };
      await this.accounts.rename(tx, account);
      await this.grants.renameAccount(tx, account.mspId, account.id, account.name);
      work.touch();
    }
    for (const grant of work.ofAccount(account.id)) {
      const command = commandOf(report, grant, Math.min(revision, device.revision));
      if (command !== null) await work.change(grant, command);
    }
    if (
      !isGone &&
      report.state === 'ABSENT' &&
      account.absentSince !== null &&
      !work.ofAccount(account.id).some((grant) => isLive(grant, now))
    ) {
      account = { ...account, removedAt: now };
      await this.accounts.remove(tx, account);
      work.touch();
    }
    accounts.set(account.id, account);
  }
}

function byId<Thing extends { id: Id }>(things: readonly Thing[]): Map<Id, Thing> {
  return new Map(things.map((thing) => [thing.id, thing]));
}
