import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { invalidInput, isId, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import type { SystemTx, TenantTx, Tx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CLOCK } from '../tokens.ts';
import { acceptsEscrow } from '../vault-key/vault-key.domain.ts';
import { VaultKeyRepository } from '../vault-key/vault-key.repository.ts';
import { AccountLock, type LockedAccount } from './account-lock.service.ts';
import { mustAskFirst, type LapsAccount } from './account.domain.ts';
import { readEscrow, type EscrowInput } from './escrow.domain.ts';
import { nextDueAt } from './plan.domain.ts';
import { versionsAfter } from './version.domain.ts';
import { VersionRepository } from './version.repository.ts';

/** The two steps of a change that the vault takes part in, whoever sets the password: under the account's lock, in the caller's transaction. */
@Injectable()
export class RotationService {
  constructor(
    private readonly copies: DirectoryRepository,
    private readonly lock: AccountLock,
    private readonly versions: VersionRepository,
    private readonly vaultKeys: VaultKeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Keeps a sealed password before it is set anywhere. Answers the number that the next one must carry. Problems InvalidInput and StaleFence. */
  async escrow(tx: Tx, account: LapsAccount, input: EscrowInput): Promise<number> {
    const { enc, ciphertext } = readEscrow(input);
    const { mspId, tenantId, id: accountId, fence } = account;
    const now = this.clock.now();
    const known = await this.versions.find(tx, mspId, input.versionId);
    if (known !== null) {
      // Sealed anew since it came, its bytes are others.
      const other = known.vaultKeyId === input.keyId && !known.ciphertext.equals(ciphertext);
      if (known.accountId !== accountId || other)
        throw invalidInput('versionId', 'versionId is taken by another password. Make a new one.');
      // A computer that was set back to a snapshot must not set what was replaced since.
      if (known.state === 'FORMER') throw staleFence();
      return known.fence + 1; // the same call again
    }
    if (!account.wanted || mustAskFirst(account) || input.fence !== fence) throw staleFence();
    const key = isId(input.keyId) ? await this.vaultKeys.held(tx, mspId, input.keyId) : null;
    if (key === null || !acceptsEscrow(key, tenantId, now)) throw staleFence();
    await this.versions.add(tx, {
      ...{ mspId, tenantId, id: input.versionId, accountId, fence, vaultKeyId: key.id, enc, ciphertext, escrowedAt: now },
    });
    await this.lock.save(tx, { ...account, fence: fence + 1 });
    return fence + 1;
  }

  /** A password was read back: it is the current one. Answers when it is to be changed next. Problem StaleFence. */
  async confirm(tx: TenantTx | SystemTx, { account, hostName }: LockedAccount, versionId: Id): Promise<Date> {
    const { mspId, tenantId } = account;
    const now = this.clock.now();
    const versions = await this.versions.ofAccount(tx, mspId, account.id);
    const confirmed = versions.find(({ id }) => id === versionId);
    const changed = versionsAfter(versions, versionId, 'confirm');
    if (confirmed === undefined || changed === null) throw staleFence();
    if (confirmed.state === 'CURRENT' && account.dueAt !== null) return account.dueAt; // the same call again
    await this.versions.setStates(tx, mspId, changed, now);
    const settings = await this.copies.settings(tx, mspId, tenantId);
    const chance = randomInt(1_000_001) / 1_000_000;
    const dueAt = nextDueAt(now, settings?.intervalSeconds ?? 86_400, account.confirmedAt === null, chance);
    // What was asked for before this password was made is done; what was asked for since is not.
    const rotateAt = account.rotateAt !== null && account.rotateAt <= confirmed.escrowedAt ? null : account.rotateAt;
    await this.lock.save(tx, {
      ...account,
      ...{ dueAt, rotateAt, confirmedAt: now, problem: null, problemSince: null },
      ...{ finding: null, takeOver: null, incident: null, alarmedAt: null },
    });
    const details = { versionId, accountName: account.name, hostName };
    const record = { subjectId: account.id, occurredAt: now, details, mspId, tenantId };
    await audit(tx, { ...record, action: 'laps.confirmed' });
    if (account.alarmedAt !== null) await audit(tx, { ...record, action: 'laps.recovered' });
    return dueAt;
  }
}

function staleFence(): Problem {
  return new Problem('StaleFence', 'Another change has gone before. Ask for lapsState again and begin anew.');
}
