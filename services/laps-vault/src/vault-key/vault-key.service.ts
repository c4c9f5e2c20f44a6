import { Inject, Injectable } from '@nestjs/common';
import { lapsSealing, type Actor } from '@stint/contracts';
import { generateHpkeKeyPair, openSealed, type KeyProvider, type Sealed } from '@stint/crypto';
import { newId, type Clock, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { CLOCK, KEYS } from '../tokens.ts';
import { vaultKeyPlace, type VaultKey } from './vault-key.domain.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';

/** A password as the vault keeps it. */
export interface KeptPassword {
  tenantId: Id;
  accountId: Id;
  versionId: Id;
  sealed: Sealed;
}

/** The keys to which agents seal, and the only place where a kept password is opened. Calls the key provider: never inside a transaction. */
@Injectable()
export class VaultKeyService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly keys: VaultKeyRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(KEYS) private readonly provider: KeyProvider,
  ) {}

  /** The key in use of the actor's tenant; the first is made here. */
  async sealingKey(actor: Actor, tenantId: Id): Promise<VaultKey> {
    const known = await this.tenancy.inTenant(actor, tenantId, (tx) => this.keys.inUse(tx, actor.mspId, tenantId));
    if (known !== null) return known;
    const pair = await generateHpkeKeyPair();
    const id = newId();
    const place = { mspId: actor.mspId, tenantId, id };
    const wrappedPrivateKey = await this.provider.wrap(Buffer.from(pair.privateKey), vaultKeyPlace(place));
    const made = { ...place, publicKey: pair.publicKey, wrappedPrivateKey, createdAt: this.clock.now(), retiredAt: null };
    return this.tenancy.inTenant(actor, tenantId, async (tx) => {
      // Of two who make the first key at once, one wins and both go on with it.
      if (await this.keys.add(tx, made, '')) return made;
      const winner = await this.keys.inUse(tx, actor.mspId, tenantId);
      if (winner === null) throw new Error(`Tenant ${tenantId} has no vault key.`);
      return winner;
    });
  }

  /** Opens a kept password. The buffer is the caller's to clear. */
  async open(key: VaultKey, kept: KeptPassword): Promise<Buffer> {
    if (key.wrappedPrivateKey === null) throw new Error(`Vault key ${key.id} was destroyed.`);
    const privateKey = await this.provider.unwrap(key.wrappedPrivateKey, vaultKeyPlace(key));
    const { escrow } = lapsSealing;
    const aad = escrow.aad(kept.tenantId, kept.accountId, kept.versionId);
    return openSealed({ privateKey: privateKey.toString(), info: escrow.info, aad }, kept.sealed);
  }
}
