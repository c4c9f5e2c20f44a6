import { Inject, Injectable } from '@nestjs/common';
import type { KeyProvider } from '@stint/crypto';
import type { Logger } from '@stint/host';
import type { Id } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { KEYS, LOG } from '../tokens.ts';
import { CredentialRepository } from './credential.repository.ts';
import { Keyring } from './keyring.service.ts';

const atOnce = 50;

/** Wraps credentials under the current root key that a former one wraps, so that the former one can be taken away. */
@Injectable()
export class RewrapSweep implements SlowSweep {
  readonly name = 'wrap Entra credentials under the current root key';
  readonly everyMs = 5_000;
  #after: Id | null = null;
  readonly #told = new Set<string>();

  constructor(
    private readonly credentials: CredentialRepository,
    private readonly keyring: Keyring,
    @Inject(KEYS) private readonly provider: KeyProvider,
    @Inject(LOG) private readonly log: Logger,
  ) {}

  async step(tenancy: Tenancy): Promise<number> {
    const { rootKeyId: current, knownRootKeyIds } = this.provider;
    const former = knownRootKeyIds.filter((id) => id !== current);
    const { batch, lost } = await tenancy.asSystem(async (tx) => ({
      batch: await this.credentials.wrappedUnder(tx, former, this.#after, atOnce),
      lost: await this.credentials.wrappedUnderOthers(tx, knownRootKeyIds),
    }));
    for (const one of lost) {
      if (this.#told.has(one.rootKeyId)) continue;
      this.#told.add(one.rootKeyId);
      this.log.error(one, 'Entra credentials are wrapped under a root key that is not configured: name it in KEY_PROVIDER as a former one');
    }
    for (const credential of batch) {
      // One that cannot be wrapped anew, or a provider that is away, holds up nothing: the next round looks again.
      this.#after = credential.id;
      const wrapped = await this.keyring.rewrapped(credential).catch((error: unknown) => {
        throw new Error(`Credential ${credential.id} could not be wrapped under the current root key.`, { cause: error });
      });
      await tenancy.asSystem((tx) => this.credentials.rewrap(tx, credential, wrapped));
    }
    if (batch.length < atOnce) this.#after = null;
    return batch.length === atOnce ? batch.length : 0;
  }
}
