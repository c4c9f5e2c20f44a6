import { Inject, Injectable } from '@nestjs/common';
import { invalidInput, isId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import type { TenantTx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { CLOCK } from '../tokens.ts';
import { AccountRepository } from './account.repository.ts';
import { checkInSeconds, desiredAccount, enablingGrant, type Account, type DesiredAccount } from './desired-state.domain.ts';
import { DeviceWorkService, type DeviceWork } from './device-work.service.ts';
import { checkReports, commandOf, maxReports, type AccountReport } from './report.domain.ts';

/** What the accounts on a device must look like; `accounts` is null when the agent has the newest revision. */
export interface DesiredState {
  revision: number;
  accounts: DesiredAccount[] | null;
  checkInSeconds: number;
}

/** Desired state towards devices, and what they report back. */
@Injectable()
export class DeviceStateService {
  constructor(
    private readonly directory: DirectoryService,
    private readonly grants: GrantRepository,
    private readonly accounts: AccountRepository,
    private readonly work: DeviceWorkService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The desired state of the calling device. */
  async desired(actor: Actor, deviceId: Id, knownRevision: number | null): Promise<DesiredState> {
    if (actor.kind !== 'device') throw new Refusal('FORBIDDEN', 'The desired state is for the device itself.');
    if (deviceId !== actor.id) throw notFound('device');
    return this.directory.readAsDevice(actor, async (tx, { mspId, id, revision }) => {
      // The revision was read before the accounts: what changes in between comes again with the next one.
      if (knownRevision === revision) {
        const state = (await this.grants.hasOpen(tx, mspId, id)) ? ([{ state: 'ACTIVE' }] as const) : [];
        return { revision, accounts: null, checkInSeconds: checkInSeconds(state) };
      }
      const now = this.clock.now();
      const grants = await this.grants.openOfDevice(tx, mspId, id);
      const accounts = await this.accounts.ofDevice(tx, mspId, id);
      const desired = accounts.map((account) =>
        desiredAccount(
          account,
          grants.filter((grant) => grant.accountId === account.id),
          now,
        ),
      );
      return { revision, accounts: desired, checkInSeconds: checkInSeconds(grants) };
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
      checkReports(revision, reports, accounts, byId(await this.grants.findMany(tx, device.mspId, grantIds)));
      const now = this.clock.now();
      const work = await this.work.open(tx, device, now);
      for (const report of reports) await this.#take(tx, device, work, report, revision, accounts, now);
      return work.finish();
    });
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
    // Seen gone before: the same report once more.
    if (known === undefined || known.removedAt !== null) return;
    let account = known;
    if (report.name != null && report.name !== account.name) {
      account = { ...account, name: report.name };
      await this.accounts.rename(tx, account);
      await this.grants.renameAccount(tx, account.mspId, account.id, account.name);
      work.touch();
    }
    for (const grant of work.ofAccount(account.id)) {
      const command = commandOf(report, grant, Math.min(revision, device.revision));
      if (command !== null) await work.change(grant, command);
    }
    if (report.state === 'ABSENT' && account.absentSince !== null && enablingGrant(work.ofAccount(account.id), now) === null) {
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
