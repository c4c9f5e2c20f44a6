import { Injectable } from '@nestjs/common';
import { emit } from '@stint/messaging';
import type { SystemTx, TenantTx } from '@stint/tenancy';
import type { BreakGlassAccount } from './break-glass.domain.ts';
import { BreakGlassRepository } from './break-glass.repository.ts';

/** What services/laps-vault hears of break-glass accounts: each time all that holds, under a new version. */
@Injectable()
export class VaultNews {
  constructor(private readonly accounts: BreakGlassRepository) {}

  /** Writes a change of the account, which is locked, and tells the vault how it is now. */
  async saveAndTell(tx: SystemTx | TenantTx, account: BreakGlassAccount, patch: Partial<BreakGlassAccount>, now: Date): Promise<void> {
    const version = account.version + 1;
    const told = { ...account, ...patch };
    await this.accounts.save(tx, account, { ...patch, version, toldAt: now });
    await this.tell(tx, { ...told, version });
  }

  async tell(tx: SystemTx | TenantTx, account: BreakGlassAccount): Promise<void> {
    const { mspId, tenantId, id: accountId, userPrincipalName, registered, problem, versionId, tampered, version } = account;
    await emit(tx, 'entra-break-glass-changed', {
      ...{
        mspId,
        tenantId,
        accountId,
        userPrincipalName,
        registered,
        problem: problem?.slice(0, 500) ?? null,
        versionId,
        tampered,
        version,
      },
    });
  }
}
