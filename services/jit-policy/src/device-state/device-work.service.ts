import { Inject, Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { WriteTx } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { auditMoved } from '../grant/grant-audit.ts';
import { decideGrant, type DeviceGrant, type GrantCommand, type GrantEndReason, type Person } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { NUDGE, type Nudge } from '../tokens.ts';
import { AccountRepository } from './account.repository.ts';

/** Opens the work on one locked device. */
@Injectable()
export class DeviceWorkService {
  constructor(
    readonly copies: DirectoryRepository,
    readonly grants: GrantRepository,
    readonly accounts: AccountRepository,
    @Inject(NUDGE) readonly nudge: Nudge,
  ) {}

  /** `device` was locked in `tx`, so that nobody else changes its grants and accounts meanwhile. */
  async open(tx: WriteTx, device: DeviceCopy, now: Date): Promise<DeviceWork> {
    return new DeviceWork(this, tx, device, await this.grants.openOfDevice(tx, device.mspId, device.id), now);
  }
}

/**
 * All changes of one transaction to the grants of one device: each is saved and audited as it happens, and `finish`
 * gives the desired state its new revision, once, when it has changed.
 */
export class DeviceWork {
  readonly #doors: Pick<DeviceWorkService, 'copies' | 'grants' | 'accounts' | 'nudge'>;
  readonly #tx: WriteTx;
  readonly #device: DeviceCopy;
  readonly #now: Date;
  #grants: DeviceGrant[];
  #changed = false;

  constructor(
    doors: Pick<DeviceWorkService, 'copies' | 'grants' | 'accounts' | 'nudge'>,
    tx: WriteTx,
    device: DeviceCopy,
    grants: DeviceGrant[],
    now: Date,
  ) {
    this.#doors = doors;
    this.#tx = tx;
    this.#device = device;
    this.#grants = grants;
    this.#now = now;
  }

  /** Grants that are not over, and those that this work has ended. */
  get grants(): readonly DeviceGrant[] {
    return this.#grants;
  }

  /** The revision that the desired state has if this work changes it: known beforehand, because the device is locked. */
  get nextRevision(): number {
    return this.#device.revision + 1;
  }

  ofAccount(accountId: Id): DeviceGrant[] {
    return this.#grants.filter((grant) => grant.target.accountId === accountId);
  }

  /** The desired state differs from now on. */
  touch(): void {
    this.#changed = true;
  }

  async add(grant: DeviceGrant): Promise<void> {
    await this.#doors.grants.insert(this.#tx, grant);
    this.#grants.push(grant);
    this.touch();
  }

  async end(grant: DeviceGrant, reason: GrantEndReason, by: Person | null = null): Promise<DeviceGrant> {
    return this.change(grant, { do: 'end', reason, revision: this.nextRevision, by });
  }

  /** Ends all live grants that `which` names; answers those that it ended. */
  async endAll(which: (grant: DeviceGrant) => boolean, reason: GrantEndReason, by: Person | null = null): Promise<DeviceGrant[]> {
    const ended: DeviceGrant[] = [];
    for (const grant of this.#grants.filter(which)) {
      const next = await this.end(grant, reason, by);
      if (next !== grant) ended.push(next);
    }
    return ended;
  }

  async tick(grant: DeviceGrant): Promise<DeviceGrant> {
    return this.change(grant, { do: 'tick', revision: this.nextRevision });
  }

  /** Gives the grant a command; the same grant when it changes nothing. */
  async change(grant: DeviceGrant, command: GrantCommand): Promise<DeviceGrant> {
    const next = decideGrant(grant, command, this.#now);
    if (next === grant) return grant;
    await this.#doors.grants.save(this.#tx, next);
    this.#grants = this.#grants.map((other) => (other.id === next.id ? next : other));
    if (next.state !== grant.state) await this.#moved(grant, next);
    // A grant that was to end and now has: nothing new for the device. An end that is tried again, however, gets a new
    // revision, so that an agent that believes to have done all looks again.
    if (next.state !== 'ENDED' || grant.state === 'APPROVED' || grant.state === 'ACTIVE') this.touch();
    return next;
  }

  /** The device's newest revision. */
  async finish(): Promise<number> {
    if (!this.#changed) return this.#device.revision;
    const { id, mspId } = this.#device;
    const revision = await this.#doors.copies.nextRevision(this.#tx, mspId, id);
    const { nudge } = this.#doors;
    this.#tx.afterCommit(() => nudge(id));
    return revision;
  }

  async #moved(before: DeviceGrant, grant: DeviceGrant): Promise<void> {
    const { deviceId, accountId } = grant.target;
    if (grant.state === 'ENDED' || grant.state === 'FAILED') await this.#doors.accounts.used(this.#tx, grant.mspId, accountId, this.#now);
    await auditMoved(this.#tx, before, grant, this.#now, { deviceId, hostName: this.#device.hostName });
  }
}
