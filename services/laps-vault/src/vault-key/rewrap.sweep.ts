import { Inject, Injectable } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { KEYS, LOG, type SweepLog } from '../tokens.ts';
import type { VaultKey } from './vault-key.domain.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';
import { VaultKeyService } from './vault-key.service.ts';

const atOnce = 50;

/** Wraps vault keys under the current root key that a former one wraps, so that the former one can be taken away. */
@Injectable()
export class RewrapSweep implements SlowSweep {
  readonly name = 'wrap vault keys under the current root key';
  readonly everyMs = 5_000;
  #after: Pick<VaultKey, 'mspId' | 'id'> | null = null;
  readonly #told = new Set<string>();

  constructor(
    private readonly keys: VaultKeyRepository,
    private readonly vault: VaultKeyService,
    @Inject(KEYS) private readonly provider: KeyProvider,
    @Inject(LOG) private readonly log: SweepLog,
  ) {}

  async step(tenancy: Tenancy): Promise<number> {
    const { rootKeyId: current, knownRootKeyIds } = this.provider;
    const { batch, lost } = await tenancy.asSystem(async (tx) => ({
      batch: await this.keys.wrappedUnder(
        tx,
        knownRootKeyIds.filter((id) => id !== current),
        this.#after,
        atOnce,
      ),
      lost: await this.keys.wrappedUnderOthers(tx, knownRootKeyIds),
    }));
    for (const one of lost) {
      if (this.#told.has(one.rootKeyId)) continue;
      this.#told.add(one.rootKeyId);
      this.log.error(one, 'vault keys are wrapped under a root key that is not configured: name it in KEY_PROVIDER as a former one');
    }
    for (const key of batch) {
      // A key that cannot be wrapped anew, or a provider that is away, holds up nothing: the next round looks again.
      this.#after = { mspId: key.mspId, id: key.id };
      const { wrapped, rootKeyId } = await this.vault.rewrapped(key).catch((error: unknown) => {
        throw new Error(`Vault key ${key.id} could not be wrapped under the current root key.`, { cause: error });
      });
      await tenancy.asSystem((tx) => this.keys.rewrap(tx, key, wrapped, rootKeyId));
    }
    if (batch.length < atOnce) this.#after = null;
    return batch.length === atOnce ? batch.length : 0;
  }
}
