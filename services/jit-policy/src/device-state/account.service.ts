import { Injectable } from '@nestjs/common';
import { newId } from '@stint/kernel';
import type { WriteTx } from '../audit-trail.ts';
import type { DeviceCopy, TechnicianCopy } from '../directory/directory.domain.ts';
import type { EffectiveSettings } from '../settings/settings.domain.ts';
import { accountName, sharedAccountName } from './account-name.domain.ts';
import { AccountRepository } from './account.repository.ts';
import type { Account } from './desired-state.domain.ts';

/** Which account a technician gets on a device: their own, or the one that all share. */
@Injectable()
export class AccountService {
  constructor(private readonly accounts: AccountRepository) {}

  /** The account for a new grant, made or used again; `device` is locked. Settings count from here on, not for what runs. */
  async forGrant(tx: WriteTx, device: DeviceCopy, technician: TechnicianCopy, settings: EffectiveSettings, now: Date): Promise<Account> {
    const shared = settings.technicianLoginMode.value === 'SHARED';
    const owner = shared ? null : technician.id;
    const displayName = shared ? 'Shared by technicians' : technician.displayName;
    const passwordLength = settings.passwordLength.value;
    const known = await this.accounts.ofDevice(tx, device.mspId, device.id);
    const existing = known.find((account) => account.technicianId === owner);
    if (existing !== undefined) {
      const account: Account = { ...existing, displayName, passwordLength, lastUsedAt: now, absentSince: null };
      await this.accounts.reuse(tx, account);
      return account;
    }
    const taken = new Set(known.map(({ name }) => name));
    const prefix = settings.accountNamePrefix.value;
    const account: Account = {
      mspId: device.mspId,
      tenantId: device.tenantId,
      id: newId(),
      deviceId: device.id,
      technicianId: owner,
      name: shared ? sharedAccountName(prefix, device.id, taken) : accountName(prefix, technician.email, technician.id, taken),
      displayName,
      passwordLength,
      lastUsedAt: now,
      absentSince: null,
      removedAt: null,
    };
    await this.accounts.insert(tx, account);
    return account;
  }
}
