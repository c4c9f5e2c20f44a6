import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor, LapsSettings } from '@stint/contracts';
import { invalidInput, isId, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { Tenancy, type TenantTx } from '@stint/tenancy';
import type { DeviceCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { acceptsEscrow, type VaultKey } from '../vault-key/vault-key.domain.ts';
import { VaultKeyRepository } from '../vault-key/vault-key.repository.ts';
import { VaultKeyService } from '../vault-key/vault-key.service.ts';
import { mustAskFirst, type LapsAccount } from './account.domain.ts';
import { AccountRepository, type Standing } from './account.repository.ts';
import { readEscrow, type EscrowInput } from './escrow.domain.ts';
import { PaceRepository } from './pace.repository.ts';
import { isAsked, isPlanned, nextDueAt } from './plan.domain.ts';
import { versionsAfter } from './version.domain.ts';
import { VersionRepository } from './version.repository.ts';

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
    private readonly versions: VersionRepository,
    private readonly pace: PaceRepository,
    private readonly keys: VaultKeyService,
    private readonly vaultKeys: VaultKeyRepository,
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
    const { enc, ciphertext } = readEscrow(input);
    return this.#ofAccount(actor, input.accountId, async (tx, device, account) => {
      const { mspId, tenantId } = device;
      const now = this.clock.now();
      const known = await this.versions.find(tx, mspId, input.versionId);
      if (known !== null) {
        // Sealed anew since it came, its bytes are others.
        const other = known.vaultKeyId === input.keyId && !known.ciphertext.equals(ciphertext);
        if (known.accountId !== account.id || other)
          throw invalidInput('versionId', 'versionId is taken by another password. Make a new one.');
        // A computer that was set back to a snapshot must not set what was replaced since.
        if (known.state === 'FORMER') throw staleFence();
        return known.fence + 1; // the same call again
      }
      if (!account.wanted || mustAskFirst(account) || input.fence !== account.fence) throw staleFence();
      const key = isId(input.keyId) ? await this.vaultKeys.held(tx, mspId, input.keyId) : null;
      if (key === null || !acceptsEscrow(key, tenantId, now)) throw staleFence();
      const { id: accountId, fence } = account;
      await this.versions.add(tx, {
        ...{ mspId, tenantId, id: input.versionId, accountId, fence, vaultKeyId: key.id, enc, ciphertext, escrowedAt: now },
      });
      await this.accounts.save(tx, { ...account, fence: fence + 1 });
      await this.copies.nextRevision(tx, mspId, device.id);
      return fence + 1;
    });
  }

  /** The agent has read a password back on the computer: it is the current one. Answers when it is to be changed next. */
  async confirm(actor: Actor, accountId: Id, versionId: Id): Promise<Date> {
    return this.#ofAccount(actor, accountId, async (tx, device, account) => {
      const { mspId, tenantId } = device;
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
      await this.accounts.save(tx, {
        ...account,
        ...{
          dueAt,
          rotateAt,
          confirmedAt: now,
          problem: null,
          problemSince: null,
          finding: null,
          takeOver: null,
          incident: null,
          alarmedAt: null,
        },
      });
      await this.copies.nextRevision(tx, mspId, device.id);
      const details = { versionId, accountName: account.name, hostName: device.hostName };
      await audit(tx, { action: 'laps.confirmed', subjectId: account.id, occurredAt: now, details });
      if (account.alarmedAt !== null) await audit(tx, { action: 'laps.recovered', subjectId: account.id, occurredAt: now, details });
      return dueAt;
    });
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

  async #ofAccount<T>(
    actor: Actor,
    accountId: Id,
    work: (tx: TenantTx, device: DeviceCopy, account: LapsAccount) => Promise<T>,
  ): Promise<T> {
    return this.directory.asDevice(actor, async (tx, device) => {
      const account = isId(accountId) ? await this.accounts.locked(tx, device.mspId, accountId) : null;
      if (account?.deviceId !== device.id) throw notFound('LAPS account');
      return work(tx, device, account);
    });
  }
}

function staleFence(): Problem {
  return new Problem('StaleFence', 'Another change has gone before. Ask for lapsState again and begin anew.');
}
