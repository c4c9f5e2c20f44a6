import { Inject, Injectable } from '@nestjs/common';
import type { Actor, LapsSettings } from '@stint/contracts';
import { isId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import { Tenancy, type TenantTx } from '@stint/tenancy';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import type { VaultKey } from '../vault-key/vault-key.domain.ts';
import { VaultKeyService } from '../vault-key/vault-key.service.ts';
import type { LockedAccount } from './account-lock.service.ts';
import { mustAskFirst, type LapsAccount } from './account.domain.ts';
import { AccountRepository, type Standing } from './account.repository.ts';
import type { EscrowInput } from './escrow.domain.ts';
import { PaceRepository } from './pace.repository.ts';
import { isAsked, isPlanned } from './plan.domain.ts';
import { RotationService } from './rotation.service.ts';

/** A break-glass account as its device must have it. */
export interface DesiredLapsAccount {
  account: LapsAccount;
  enabled: boolean;
  rotate: boolean;
  currentVersionId: Id | null;
}
export interface LapsState {
  revision: number;
  accounts: DesiredLapsAccount[] | null;
  settings: LapsSettings | null;
  vaultKey: VaultKey | null;
}

/** What devices ask of the vault, and hand to it. A password only ever goes in. */
@Injectable()
export class AccountDeviceService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly rotations: RotationService,
    private readonly pace: PaceRepository,
    private readonly keys: VaultKeyService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What the break-glass accounts on the calling device must be. */
  async state(actor: Actor, deviceId: Id, knownRevision: number | null): Promise<LapsState> {
    if (actor.kind !== 'device') throw new Refusal('FORBIDDEN', 'This is for the device itself.');
    if (deviceId !== actor.id) throw notFound('device');
    const now = this.clock.now();
    const seen = await this.directory.readAsDevice(actor, async (tx, device) => {
      const { mspId, tenantId, revision } = device;
      if (knownRevision === revision && !(await this.accounts.anythingDue(tx, mspId, device.id, now))) return { revision, told: null };
      const settings = await this.copies.settings(tx, mspId, tenantId);
      const accounts = (await this.accounts.ofDevices(tx, mspId, [device.id])).filter(({ wanted }) => wanted);
      const standing = await this.accounts.standing(
        tx,
        mspId,
        accounts.map(({ id }) => id),
      );
      return { revision, told: settings === null ? null : { settings, accounts, standing } };
    });
    if (seen.told === null) return { revision: seen.revision, accounts: null, settings: null, vaultKey: null };
    const { settings, accounts, standing } = seen.told;
    const desired: DesiredLapsAccount[] = [];
    for (const account of accounts) {
      const beside = standing.get(account.id);
      const enabled = account.kind === 'DOMAIN' || settings.localActive;
      const rotate = await this.#mayRotate(account, beside, now);
      desired.push({ account, enabled, rotate, currentVersionId: beside?.currentVersionId ?? null });
    }
    const vaultKey = desired.some(({ rotate }) => rotate) ? await this.keys.sealingKey(actor, actor.tenantId) : null;
    return { revision: seen.revision, accounts: desired, settings, vaultKey };
  }

  /** Keeps a sealed password before it is set on the computer. Answers the number that the next one must carry. */
  async escrow(actor: Actor, input: EscrowInput): Promise<number> {
    return this.#ofAccount(actor, input.accountId, (tx, { account }) => this.rotations.escrow(tx, account, input));
  }

  /** The agent has read a password back on the computer: it is the current one. Answers when it is to be changed next. */
  async confirm(actor: Actor, accountId: Id, versionId: Id): Promise<Date> {
    return this.#ofAccount(actor, accountId, (tx, locked) => this.rotations.confirm(tx, locked, versionId));
  }

  /** Whether the device may change the password now; what is planned is let through as the pace allows, once. */
  async #mayRotate(account: LapsAccount, beside: Standing | undefined, now: Date): Promise<boolean> {
    if (mustAskFirst(account)) return false;
    if (isAsked(account, now)) return true;
    if (beside?.checkOut != null || !isPlanned(account, now)) return false;
    return this.tenancy.asSystem(async (tx) => {
      const fresh = await this.accounts.locked(tx, account.mspId, account.id);
      if (fresh === null) return false;
      if (isAsked(fresh, now)) return true;
      if (!(await this.pace.pass(tx, account.mspId, now))) return false;
      // From here on it is asked for: the same account is not counted again.
      await this.accounts.save(tx, { ...fresh, rotateAt: now });
      return true;
    });
  }

  async #ofAccount<T>(actor: Actor, accountId: Id, work: (tx: TenantTx, locked: LockedAccount) => Promise<T>): Promise<T> {
    return this.directory.asDevice(actor, async (tx, device) => {
      const account = isId(accountId) ? await this.accounts.locked(tx, device.mspId, accountId) : null;
      if (account?.deviceId !== device.id) throw notFound('LAPS account');
      return work(tx, { account, hostName: device.hostName });
    });
  }
}
