import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { notFound, Problem, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { AccountLock } from '../account/account-lock.service.ts';
import type { LapsAccount } from '../account/account.domain.ts';
import { AccountService, type ShownAccount } from '../account/account.service.ts';
import { holds } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { CLOCK } from '../tokens.ts';
import { CheckOutRepository, type CheckOut } from './check-out.repository.ts';

/** The end of check-outs: by who has the account, by an administrator, or because the time is over. The password is changed then. */
@Injectable()
export class CheckOutService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    private readonly lock: AccountLock,
    private readonly accountService: AccountService,
    private readonly checkOuts: CheckOutRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Gives an account back. Repeating the call is harmless. */
  async checkIn(actor: Actor, accountId: Id): Promise<ShownAccount> {
    const { account: seen } = await this.accountService.read(actor, accountId);
    await this.tenancy.asSystem(async (tx) => {
      const account = await this.#locked(tx, seen.mspId, accountId);
      const out = await this.checkOuts.openOf(tx, seen.mspId, accountId);
      if (out === null) return;
      const path = await this.copies.path(tx, seen.mspId, account.tenantId);
      if (out.technicianId !== actor.id && !holds(actor, 'laps.manage', path))
        throw new Problem('LapsAccessDenied', 'Somebody else has checked this account out. They, or an administrator, check it in.');
      await this.end(tx, account, out, actor);
    });
    return this.accountService.read(actor, accountId);
  }

  /** Ends one whose time is over, if it is still so. */
  async endOver(tx: SystemTx, { mspId, accountId, id }: CheckOut, now: Date): Promise<void> {
    const account = await this.#locked(tx, mspId, accountId);
    const out = await this.checkOuts.openOf(tx, mspId, accountId);
    if (out?.id === id && out.until <= now) await this.end(tx, account, out, null);
  }

  /** Ends a check-out of the account, which is locked: its password is changed now. */
  async end(tx: SystemTx, account: LapsAccount, out: CheckOut, actor: Actor | null): Promise<LapsAccount> {
    const now = this.clock.now();
    const { mspId, tenantId, id: subjectId, name: accountName } = account;
    await this.checkOuts.end(tx, mspId, out.id, now);
    const next = { ...account, rotateAt: now };
    await this.lock.saveAndHint(tx, next);
    await audit(tx, {
      ...{ action: 'laps.checked-in', subjectId, occurredAt: now, mspId, tenantId, actor },
      details: { accountName, technicianId: out.technicianId },
    });
    return next;
  }

  async #locked(tx: SystemTx, mspId: Id, accountId: Id): Promise<LapsAccount> {
    const locked = await this.lock.locked(tx, mspId, accountId);
    if (locked === null) throw notFound('LAPS account');
    return locked.account;
  }
}
