import { Inject, Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { AuditAction, AuditEvent } from '@stint/contracts';
import { auditOf, type WriteTx } from '../audit-trail.ts';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { decideGrant, type Grant, type GrantCommand, type GrantEndReason, type Person } from '../grant/grant.domain.ts';
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
  #grants: Grant[];
  #changed = false;

  constructor(
    doors: Pick<DeviceWorkService, 'copies' | 'grants' | 'accounts' | 'nudge'>,
    tx: WriteTx,
    device: DeviceCopy,
    grants: Grant[],
    now: Date,
  ) {
    this.#doors = doors;
    this.#tx = tx;
    this.#device = device;
    this.#grants = grants;
    this.#now = now;
  }

  /** Grants that are not over, and those that this work has ended. */
  get grants(): readonly Grant[] {
    return this.#grants;
  }

  /** The revision that the desired state has if this work changes it: known beforehand, because the device is locked. */
  get nextRevision(): number {
    return this.#device.revision + 1;
  }

  ofAccount(accountId: Id): Grant[] {
    return this.#grants.filter((grant) => grant.accountId === accountId);
  }

  /** The desired state differs from now on. */
  touch(): void {
    this.#changed = true;
  }

  async add(grant: Grant): Promise<void> {
    await this.#doors.grants.insert(this.#tx, grant);
    this.#grants.push(grant);
    this.touch();
  }

  async end(grant: Grant, reason: GrantEndReason, by: Person | null = null): Promise<Grant> {
    return this.change(grant, { do: 'end', reason, revision: this.nextRevision, by });
  }

  /** Ends all live grants that `which` names; answers those that it ended. */
  async endAll(which: (grant: Grant) => boolean, reason: GrantEndReason, by: Person | null = null): Promise<Grant[]> {
    const ended: Grant[] = [];
    for (const grant of this.#grants.filter(which)) {
      const next = await this.end(grant, reason, by);
      if (next !== grant) ended.push(next);
    }
    return ended;
  }

  async tick(grant: Grant): Promise<Grant> {
    return this.change(grant, { do: 'tick', revision: this.nextRevision });
  }

  /** Gives the grant a command; the same grant when it changes nothing. */
  async change(grant: Grant, command: GrantCommand): Promise<Grant> {
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

  async #moved(before: Grant, grant: Grant): Promise<void> {
    if (grant.state === 'ENDED' || grant.state === 'FAILED')
      await this.#doors.accounts.used(this.#tx, grant.mspId, grant.accountId, this.#now);
    // An agent that ends by itself goes from live to ENDED at once; the log then has the request and the end in one.
    for (const event of happened(before, grant)) {
      await auditOf(this.#tx, grant, {
        action: event.action,
        subjectId: grant.id,
        occurredAt: this.#now,
        details: {
          deviceId: grant.deviceId,
          hostName: this.#device.hostName,
          technicianId: grant.technicianId,
          accountName: grant.accountName,
          ...event.details,
        },
      });
    }
  }
}

function happened(before: Grant, grant: Grant): { action: AuditAction; details: AuditEvent['details'] }[] {
  switch (grant.state) {
    case 'ACTIVE':
      return [{ action: 'grant.activated', details: { activeAt: instant(grant.activeAt), expiresAt: instant(grant.expiresAt) } }];
    case 'ENDING':
      return [{ action: 'grant.end-requested', details: { endReason: grant.endReason, endedBy: grant.endedBy?.id ?? null } }];
    case 'END_STUCK':
      return [{ action: 'grant.end-stuck', details: { endReason: grant.endReason, endingAt: instant(grant.endingAt) } }];
    case 'ENDED':
      return [
        { action: 'grant.ended', details: { endReason: grant.endReason, endedAt: instant(grant.endedAt), from: before.state } },
        // New administrators that came while somebody had rights: an alarm of its own for each group.
        ...grant.privilegedChanges.map(({ groupName, added, removed }) => ({
          action: 'grant.privileged-changed' as const,
          details: { group: short(groupName), added: shortList(added), removed: shortList(removed) },
        })),
      ];
    case 'FAILED':
      return [{ action: 'grant.failed', details: { failure: grant.failure } }];
    case 'APPROVED':
      return [];
  }
}

function instant(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}

/** Names are whatever somebody with rights wrote there: a log event holds so much, and the whole is in the grant's record. */
function short(name: string): string {
  const points = [...name];
  return points.length > 32 ? `${points.slice(0, 31).join('')}…` : name;
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(short).join(' ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
