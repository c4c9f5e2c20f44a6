import { Inject, Injectable } from '@nestjs/common';
import { isId, type Id } from '@stint/kernel';
import type { Tx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { NUDGE, type Nudge } from '../tokens.ts';
import type { LapsAccount } from './account.domain.ts';
import { AccountRepository } from './account.repository.ts';

/** An account that nobody else changes until the transaction ends. */
export interface LockedAccount {
  account: LapsAccount;
  /** Of the computer that it is on; null for one in Entra. */
  hostName: string | null;
}

/**
 * The one lock under which an account and its passwords change: its device, whose revision grows with every change; an account in
 * Entra is on no device, and its own row is the lock.
 */
@Injectable()
export class AccountLock {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    @Inject(NUDGE) private readonly nudge: Nudge,
  ) {}

  /** Null for an account that there is not, or not in this scope. */
  async locked(tx: Tx, mspId: Id, accountId: Id): Promise<LockedAccount | null> {
    const known = isId(accountId) ? await this.accounts.find(tx, mspId, accountId) : null;
    if (known === null) return null;
    // The device first, as everywhere.
    const device = known.deviceId === null ? null : await this.copies.deviceLocked(tx, mspId, known.deviceId);
    const account = await this.accounts.locked(tx, mspId, accountId);
    return account === null ? null : { account, hostName: device?.hostName ?? null };
  }

  /** Writes the account; its device has a new revision. */
  async save(tx: Tx, account: LapsAccount): Promise<void> {
    await this.accounts.save(tx, account);
    if (account.deviceId !== null) await this.copies.nextRevision(tx, account.mspId, account.deviceId);
  }

  /** The same, and whoever sets its passwords is hinted after the commit: a device is nudged; for Entra the sweep looks all the time. */
  async saveAndHint(tx: Tx, account: LapsAccount): Promise<void> {
    await this.save(tx, account);
    const { deviceId } = account;
    if (deviceId !== null) tx.afterCommit(() => this.nudge(deviceId));
  }
}
