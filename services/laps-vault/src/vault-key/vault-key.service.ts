import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type Actor } from '@stint/contracts';
import { generateHpkeKeyPair, type KeyProvider, lapsSealing, openSealed, rootKeyIdOf, type Sealed, sealTo } from '@stint/crypto';
import { conflict, newId, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { Tenancy, type Tx } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK, KEYS } from '../tokens.ts';
import { PrivateKeyCache } from './private-key-cache.ts';
import { vaultKeyPlace, type VaultKey } from './vault-key.domain.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';

/** A password as the vault keeps it. */
export interface KeptPassword {
  tenantId: Id;
  accountId: Id;
  versionId: Id;
  sealed: Sealed;
}

/** A vault key, and how many passwords still stand under older ones of its tenant. */
export interface ShownVaultKey {
  key: VaultKey;
  behind: number;
}

/** The keys to which agents seal, and the only place where a kept password is opened. Calls the key provider: never inside a transaction. */
@Injectable()
export class VaultKeyService implements OnApplicationShutdown {
  readonly #privateKeys = new PrivateKeyCache();

  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly keys: VaultKeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly provider: KeyProvider,
  ) {}

  /** The key in use of the actor's tenant; the first is made here. */
  async sealingKey(actor: Actor, tenantId: Id): Promise<VaultKey> {
    return this.#sealingKey(actor.mspId, tenantId, (work) => this.tenancy.inTenant(actor, tenantId, work));
  }

  /** The same for work of the system. */
  async sealingKeyOf(mspId: Id, tenantId: Id): Promise<VaultKey> {
    return this.#sealingKey(mspId, tenantId, (work) => this.tenancy.asSystem(work));
  }

  async #sealingKey(mspId: Id, tenantId: Id, enter: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): Promise<VaultKey> {
    const known = await enter((tx) => this.keys.inUse(tx, mspId, tenantId));
    if (known !== null) return known;
    const made = await this.#make(mspId, tenantId);
    return enter(async (tx) => {
      // Of two who make the first key at once, one wins and both go on with it.
      if (await this.keys.add(tx, made, rootKeyIdOf(made.wrappedPrivateKey))) return made;
      const winner = await this.keys.inUse(tx, mspId, tenantId);
      if (winner === null) throw new Error(`Tenant ${tenantId} has no vault key.`);
      return winner;
    });
  }

  /** The key in use of a tenant; null before its first. */
  async shown(actor: Actor, tenantId: Id): Promise<ShownVaultKey | null> {
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const key = await this.keys.inUse(tx, actor.mspId, tenantId);
      return key === null ? null : { key, behind: await this.keys.behind(tx, actor.mspId, tenantId) };
    });
  }

  /** Puts a new key in the place of the one in use. What is kept under the old one stays readable and is sealed anew by sweeps. */
  async rotate(actor: Actor, tenantId: Id): Promise<ShownVaultKey> {
    const { mspId } = actor;
    const before = await this.directory.inTenant(actor, tenantId, (tx) => this.keys.inUse(tx, mspId, tenantId));
    const made = await this.#make(mspId, tenantId);
    return this.tenancy.inTenant(actor, tenantId, async (tx) => {
      const retired = before === null || (await this.keys.retire(tx, mspId, before.id, made.createdAt));
      if (!retired || !(await this.keys.add(tx, made, rootKeyIdOf(made.wrappedPrivateKey))))
        throw conflict('Somebody has made a new vault key at this moment. Look at it before you make another one.');
      const details = { formerKeyId: before?.id ?? null };
      await audit(tx, { action: 'vault-key.rotated', subjectId: made.id, occurredAt: made.createdAt, details });
      return { key: made, behind: await this.keys.behind(tx, mspId, tenantId) };
    });
  }

  /** Opens a kept password. The buffer is the caller's to clear. */
  async open(key: VaultKey, kept: KeptPassword): Promise<Buffer> {
    const { escrow } = lapsSealing;
    const aad = escrow.aad(kept.tenantId, kept.accountId, kept.versionId);
    return this.#withPrivateKey(key, (privateKey) => openSealed({ privateKey, info: escrow.info, aad }, kept.sealed));
  }

  /**
   * Seals a kept password to another key of its tenant, in its place, and opens it there before it answers: what replaces a
   * password is known to open. Null when it does not open under its own key, which no later try can change.
   */
  async reseal(from: VaultKey, to: VaultKey, kept: KeptPassword): Promise<Sealed | null> {
    if (from.tenantId !== to.tenantId) throw new Error('A password stays in its tenant.');
    // Asked for first, so that a key provider that is away is not taken for a password that does not open.
    await this.#withPrivateKey(from, () => Promise.resolve());
    const password = await this.open(from, kept).catch(() => null);
    if (password === null) return null;
    try {
      const { escrow } = lapsSealing;
      const aad = escrow.aad(kept.tenantId, kept.accountId, kept.versionId);
      const sealed = await sealTo({ publicKey: to.publicKey, info: escrow.info, aad }, password);
      const opened = await this.open(to, { ...kept, sealed });
      const same = opened.equals(password);
      opened.fill(0);
      if (!same) throw new Error(`Vault key ${to.id} opens something else.`);
      return sealed;
    } finally {
      password.fill(0);
    }
  }

  /** The private half of a key under the current root key; opened there before it is answered. */
  async rewrapped(key: VaultKey): Promise<{ wrapped: Buffer; rootKeyId: string }> {
    const privateKey = await this.#unwrap(key);
    try {
      const wrapped = await this.provider.wrap(privateKey, vaultKeyPlace(key));
      const again = await this.provider.unwrap(wrapped, vaultKeyPlace(key));
      const same = again.equals(privateKey);
      again.fill(0);
      if (!same) throw new Error(`The key provider opens something else for vault key ${key.id}.`);
      return { wrapped, rootKeyId: rootKeyIdOf(wrapped) };
    } finally {
      privateKey.fill(0);
    }
  }

  onApplicationShutdown(): void {
    this.#privateKeys.close();
  }

  async #make(mspId: Id, tenantId: Id): Promise<VaultKey & { wrappedPrivateKey: Buffer }> {
    const place = { mspId, tenantId, id: newId() };
    const pair = await generateHpkeKeyPair();
    const privateKey = Buffer.from(pair.privateKey, 'base64url');
    const wrappedPrivateKey = await this.provider.wrap(privateKey, vaultKeyPlace(place));
    privateKey.fill(0);
    return { ...place, publicKey: pair.publicKey, wrappedPrivateKey, createdAt: this.clock.now(), retiredAt: null };
  }

  #withPrivateKey<Result>(key: VaultKey, work: (privateKey: Buffer) => Promise<Result>): Promise<Result> {
    return this.#privateKeys.use(vaultKeyPlace(key), () => this.#unwrap(key), work);
  }

  async #unwrap(key: VaultKey): Promise<Buffer> {
    if (key.wrappedPrivateKey === null) throw new Error(`Vault key ${key.id} was destroyed.`);
    return this.provider.unwrap(key.wrappedPrivateKey, vaultKeyPlace(key));
  }
}
