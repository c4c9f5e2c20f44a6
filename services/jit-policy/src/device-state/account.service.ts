import { Injectable } from '@nestjs/common';
import { newId, type Id } from '@stint/kernel';
import type { WriteTx } from '../audit-trail.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import type { EffectiveSettings } from '../settings/settings.domain.ts';
import { accountName, sharedAccountName } from './account-name.domain.ts';
import { AccountRepository } from './account.repository.ts';
import type { Account } from './desired-state.domain.ts';

/** What of the settings decides on accounts. */
export type AccountSettings = Pick<EffectiveSettings, 'technicianLoginMode' | 'accountNamePrefix' | 'passwordLength'>;

/** Which account a technician gets on a device: their own, or the one that all share. */
@Injectable()
export class AccountService {
  constructor(private readonly accounts: AccountRepository) {}

  /** The account for a new grant, made or used again; `device` is locked. Settings count from here on, not for what runs. */
  async forGrant(tx: WriteTx, device: DeviceCopy, technician: TechnicianCopy, settings: AccountSettings, now: Date): Promise<Account> {
    const known = await this.accounts.ofDevice(tx, device.mspId, device.id);
    const existing = byOwner(known).get(ownerOf(technician, settings));
    const fresh = newAccount(device, technician, settings, new Set(known.map(({ name }) => name)), now);
    if (existing === undefined) {
      await this.accounts.insert(tx, fresh);
      return fresh;
    }
    const { displayName, passwordLength } = fresh;
    const account: Account = { ...existing, displayName, passwordLength, lastUsedAt: now, absentSince: null, prepared: false };
    await this.accounts.reuse(tx, account);
    return account;
  }

  /** Chooses accounts ahead, for technicians without one; `device` is locked. */
  async prepare(
    tx: WriteTx,
    device: DeviceCopy,
    technicians: readonly TechnicianCopy[],
    settings: AccountSettings,
    now: Date,
  ): Promise<void> {
    await this.accounts.prepareAgain(
      tx,
      device.mspId,
      device.id,
      technicians.flatMap((technician) => ownerOf(technician, settings) ?? []),
    );
    const known = await this.accounts.ofDevice(tx, device.mspId, device.id);
    const owned = new Set(known.map(({ technicianId }) => technicianId));
    const names = new Set(known.map(({ name }) => name));
    const prepared: Account[] = [];
    for (const technician of technicians) {
      const owner = ownerOf(technician, settings);
      if (owned.has(owner)) continue;
      const account = { ...newAccount(device, technician, settings, names, now), prepared: true };
      owned.add(owner);
      names.add(account.name);
      prepared.push(account);
    }
    if (prepared.length > 0) await this.accounts.insert(tx, ...prepared);
  }
}

/** Whose account a technician uses: null is the shared one. */
export function ownerOf(technician: Pick<TechnicianCopy, 'id'>, settings: Pick<AccountSettings, 'technicianLoginMode'>): Id | null {
  return settings.technicianLoginMode.value === 'SHARED' ? null : technician.id;
}

/** The account that each owner uses; one that the device is deleting (it may have come back beside its successor) only where there is no other. */
export function byOwner(accounts: readonly Account[]): Map<Id | null, Account> {
  const gone = accounts.filter(({ absentSince }) => absentSince !== null);
  const here = accounts.filter(({ absentSince }) => absentSince === null);
  return new Map([...gone, ...here].map((account) => [account.technicianId, account]));
}

function newAccount(
  device: DeviceCopy,
  technician: TechnicianCopy,
  settings: AccountSettings,
  taken: ReadonlySet<string>,
  now: Date,
): Account {
  const owner = ownerOf(technician, settings);
  const prefix = settings.accountNamePrefix.value;
  return {
    mspId: device.mspId,
    tenantId: device.tenantId,
    id: newId(),
    deviceId: device.id,
    technicianId: owner,
    name: owner === null ? sharedAccountName(prefix, device.id, taken) : accountName(prefix, technician.email, technician.id, taken),
    displayName: owner === null ? 'Shared by technicians' : technician.displayName,
    passwordLength: settings.passwordLength.value,
    lastUsedAt: now,
    absentSince: null,
    removedAt: null,
    prepared: false,
  };
}
