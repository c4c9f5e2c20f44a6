import { Injectable } from '@nestjs/common';
import { lapsPolicyOf } from '@stint/contracts';
import { addSeconds } from '@stint/kernel';
import { emit, type SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { AccountRepository } from '../account/account.repository.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { VaultKeyService } from '../vault-key/vault-key.service.ts';
import { EntraAccountRepository } from './entra-account.repository.ts';

const batch = 50;
/** After so long without a confirmation services/entra-connector is told again, in case that it knows nothing of it any more. */
const againSeconds = 3_600;

/** Tells services/entra-connector which passwords are to be changed now. The first vault key of a tenant is made here, outside of any transaction. */
@Injectable()
export class EntraDueSweep implements SlowSweep {
  readonly name = 'laps-entra-due';
  readonly everyMs = 2_000;

  constructor(
    private readonly entra: EntraAccountRepository,
    private readonly accounts: AccountRepository,
    private readonly copies: DirectoryRepository,
    private readonly keys: VaultKeyService,
  ) {}

  async step(tenancy: Tenancy, now: Date): Promise<number> {
    const toldBefore = addSeconds(now, -againSeconds);
    const due = await tenancy.asSystem((tx) => this.entra.due(tx, now, toldBefore, batch));
    for (const { mspId, tenantId, id: accountId } of due) {
      const { id, publicKey } = await this.keys.sealingKeyOf(mspId, tenantId);
      await tenancy.asSystem(async (tx) => {
        if (!(await this.entra.claimDue(tx, mspId, accountId, toldBefore, now))) return;
        const account = await this.accounts.find(tx, mspId, accountId);
        const settings = await this.copies.settings(tx, mspId, tenantId);
        if (account === null || settings === null) return;
        const change = { mspId, tenantId, accountId, fence: account.fence, vaultKey: { id, publicKey }, policy: lapsPolicyOf(settings) };
        await emit(tx, 'entra-rotation-due', change);
      });
    }
    return due.length;
  }
}
