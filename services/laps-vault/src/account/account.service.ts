import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { reason, type Actor } from '@stint/contracts';
import { conflict, connection, isId, notFound, Problem, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type Tx } from '@stint/tenancy';
import { holds, isReader } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { AccountLock } from './account-lock.service.ts';
import type { LapsAccount } from './account.domain.ts';
import { AccountRepository, type Standing } from './account.repository.ts';
import { askedAt, isOverdue } from './plan.domain.ts';

const rotateInput = z.object({ accountId: z.string(), reason: reason.nullish() });

/** An account with what people want to know of it. */
export interface ShownAccount {
  account: LapsAccount;
  standing: Standing;
  overdue: boolean;
}

/** What people do with break-glass accounts, except reading passwords. */
@Injectable()
export class AccountService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly lock: AccountLock,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One account. Problem `NotFound` when it is out of reach. */
  async read(actor: Actor, id: Id): Promise<ShownAccount> {
    return this.tenancy.readTenants(actor, async (tx) => {
      const account = isId(id) ? await this.accounts.find(tx, actor.mspId, id) : null;
      const [shown] = account === null ? [] : await this.#shown(tx, [account]);
      if (shown === undefined) throw notFound('LAPS account');
      return shown;
    });
  }

  /** The accounts of several devices; devices out of reach are not in the answer. */
  async ofDevices(actor: Actor, deviceIds: readonly Id[]): Promise<Map<Id, ShownAccount[]>> {
    const visible = await this.directory.visible(actor, 'device', deviceIds);
    if (visible.size === 0) return new Map();
    return this.tenancy.readTenants(actor, async (tx) => {
      const shown = await this.#shown(tx, await this.accounts.ofDevices(tx, actor.mspId, [...visible]));
      return new Map([...visible].map((id) => [id, shown.filter(({ account }) => account.deviceId === id)]));
    });
  }

  /** One page of a tenant's accounts. Problem `NotFound` when it is out of reach. */
  async page(actor: Actor, tenantId: Id, page: PageRequest, needsAttention: boolean): Promise<Connection<ShownAccount & { id: Id }>> {
    const visible = await this.directory.visible(actor, 'tenant', [tenantId]);
    if (visible.size === 0) throw notFound('tenant');
    const rows = await this.tenancy.readTenants(actor, async (tx) =>
      this.#shown(tx, await this.accounts.page(tx, actor.mspId, tenantId, page, needsAttention)),
    );
    return connection(
      rows.map((row) => ({ ...row, id: row.account.id })),
      page,
    );
  }

  /** Has the password changed as soon as the device hears of it. */
  async rotate(actor: Actor, raw: unknown): Promise<ShownAccount> {
    const { accountId, reason: why = null } = checkInput(rotateInput, raw);
    return this.#change(actor, accountId, async (tx, account) => {
      const { mspId, tenantId } = account;
      if (!holds(actor, 'laps.manage', await this.copies.path(tx, mspId, tenantId))) {
        const settings = await this.copies.settings(tx, mspId, tenantId);
        const technician = await this.copies.technicianHeld(tx, mspId, actor.id);
        if (settings === null || !isReader(technician, settings))
          throw new Problem('LapsAccessDenied', 'You are in none of the groups that may read LAPS passwords here. Ask an administrator.');
      }
      if (!account.wanted) throw conflict('LAPS is off for this account. Switch it on, or register it, first.');
      const now = this.clock.now();
      const out = (await this.accounts.standing(tx, mspId, [accountId])).get(accountId)?.checkOut;
      if (out != null && out.until > now && out.technicianId !== actor.id)
        throw new Problem('LapsCheckedOut', 'Somebody else has checked this account out. Wait, or have it checked in.', {
          until: out.until,
        });
      const details = { accountName: account.name, reason: why };
      await audit(tx, { action: 'laps.rotation-asked', subjectId: accountId, occurredAt: now, details });
      return { ...account, rotateAt: askedAt(account.confirmedAt, now) };
    });
  }

  /** Says yes to taking over what the agent found, exactly as it was shown. */
  async takeOver(actor: Actor, accountId: Id, digest: string): Promise<ShownAccount> {
    return this.#change(actor, accountId, async (tx, account) => {
      if (account.finding?.digest !== digest)
        throw conflict('This is not what the agent sees now. Look at the account again before you take it over.');
      const { uid, groups } = account.finding;
      const details = { accountName: account.name, digest, uid, groups: groups.join(' ') };
      await audit(tx, { action: 'laps.taken-over', subjectId: accountId, occurredAt: this.clock.now(), details });
      return { ...account, takeOver: digest };
    });
  }

  async #change(
    actor: Actor,
    accountId: Id,
    work: (tx: Parameters<Parameters<Tenancy['inTenantOf']>[3]>[0], account: LapsAccount) => Promise<LapsAccount>,
  ): Promise<ShownAccount> {
    return this.tenancy.inTenantOf(
      actor,
      'LAPS account',
      async (tx) => (isId(accountId) ? ((await this.accounts.find(tx, actor.mspId, accountId))?.tenantId ?? null) : null),
      async (tx) => {
        const locked = await this.lock.locked(tx, actor.mspId, accountId);
        if (locked === null) throw notFound('LAPS account');
        const next = await work(tx, locked.account);
        await this.lock.saveAndHint(tx, next);
        const [shown] = await this.#shown(tx, [next]);
        if (shown === undefined) throw notFound('LAPS account');
        return shown;
      },
    );
  }

  async #shown(tx: Tx, accounts: readonly LapsAccount[]): Promise<ShownAccount[]> {
    const [first] = accounts;
    if (first === undefined) return [];
    const { mspId } = first;
    const standing = await this.accounts.standing(
      tx,
      mspId,
      accounts.map(({ id }) => id),
    );
    const settings = await this.copies.settingsOf(tx, mspId, [...new Set(accounts.map(({ tenantId }) => tenantId))]);
    const now = this.clock.now();
    const nothing: Standing = { versions: 0, unsure: false, currentVersionId: null, checkOut: null };
    return accounts.map((account) => ({
      account,
      standing: standing.get(account.id) ?? nothing,
      overdue: isOverdue(account, settings.get(account.tenantId)?.intervalSeconds ?? 86_400, now),
    }));
  }
}
