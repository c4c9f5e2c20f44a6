import { Inject, Injectable } from '@nestjs/common';
import { Problem, type Clock, type Id } from '@stint/kernel';
import { emit, type Handler } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { AccountLock, type LockedAccount } from '../account/account-lock.service.ts';
import { RotationService } from '../account/rotation.service.ts';
import { versionsAfter } from '../account/version.domain.ts';
import { VersionRepository } from '../account/version.repository.ts';
import { CLOCK } from '../tokens.ts';
import { afterTold } from './entra-account.domain.ts';
import { EntraAccountRepository } from './entra-account.repository.ts';

/** Break-glass accounts in Entra, of which services/entra-connector is the agent. Messages may come late, twice and in any order. */
@Injectable()
export class EntraAccountConsumer {
  constructor(
    private readonly entra: EntraAccountRepository,
    private readonly lock: AccountLock,
    private readonly versions: VersionRepository,
    private readonly rotations: RotationService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  readonly changed: Handler<'entra-break-glass-changed'> = async (tx, told) => {
    const now = this.clock.now();
    await this.entra.add(tx, told, now);
    const { account } = await this.#locked(tx, told);
    if (!(await this.entra.noteTold(tx, told))) return;
    const versions = await this.versions.ofAccount(tx, told.mspId, account.id);
    const next = afterTold(account, told, new Set(versions.map(({ id }) => id)), now);
    await this.lock.save(tx, next);
    await this.entra.setName(tx, next);
  };

  readonly escrowed: Handler<'entra-rotation-escrowed'> = async (tx, offer) => {
    const { mspId, tenantId, accountId, versionId } = offer;
    const { account } = await this.#locked(tx, offer);
    const answer = await this.rotations.escrow(tx, account, offer).then(
      (fence) => ({ taken: true, fence }),
      (error: unknown) => {
        if (error instanceof Problem) return { taken: false, fence: account.fence };
        throw error;
      },
    );
    await this.entra.setDueTold(tx, mspId, accountId, answer.taken ? this.clock.now() : null);
    await emit(tx, 'entra-rotation-answered', { mspId, tenantId, accountId, versionId, ...answer });
  };

  readonly confirmed: Handler<'entra-rotation-confirmed'> = async (tx, told) => {
    const locked = await this.#locked(tx, told);
    try {
      await this.rotations.confirm(tx, locked, told.versionId);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await this.#isSetBack(tx, locked, told.versionId);
    }
    await this.entra.setDueTold(tx, told.mspId, told.accountId, null);
  };

  /** Entra has a password that was replaced long ago, or one that a restored vault does not know: it may be shown again, and is changed now. */
  async #isSetBack(tx: SystemTx, { account }: LockedAccount, versionId: Id): Promise<void> {
    const now = this.clock.now();
    const versions = await this.versions.ofAccount(tx, account.mspId, account.id);
    await this.versions.setStates(tx, account.mspId, versionsAfter(versions, versionId, 'find') ?? [], now);
    await this.lock.save(tx, { ...account, rotateAt: now });
  }

  async #locked(tx: SystemTx, { mspId, tenantId, accountId }: { mspId: Id; tenantId: Id; accountId: Id }): Promise<LockedAccount> {
    const locked = await this.lock.locked(tx, mspId, accountId);
    // Thrown, so that a message that comes before the account's is tried again.
    if (locked?.account.kind !== 'ENTRA' || locked.account.tenantId !== tenantId)
      throw new Error(`There is no account ${accountId} in Entra yet.`);
    return locked;
  }
}
