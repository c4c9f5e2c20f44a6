import { Inject, Injectable } from '@nestjs/common';
import { rootKeyIdOf, type KeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { KEYS, LOG, type SweepLog } from '../tokens.ts';
import { WrappedRepository, type Wrapped } from './wrapped.repository.ts';

const atOnce = 50;

/** Wraps everything under the current root key that a former one wraps, and tells when the former one can be taken away. */
@Injectable()
export class RewrapSweep implements SlowSweep {
  readonly name = 'wrap under the current root key';
  readonly everyMs = 5_000;
  #after: Id | null = null;
  /** What has wrapped something: a root key that is named before it is the current one has not, and is not to be taken away. */
  readonly #used = new Set<string>();
  /** What was told of a root key: that it is missing, or of no use any more. */
  readonly #told = new Set<string>();

  constructor(
    private readonly all: WrappedRepository,
    @Inject(KEYS) private readonly provider: KeyProvider,
    @Inject(LOG) private readonly log: SweepLog,
  ) {}

  async step(tenancy: Tenancy): Promise<number> {
    const former = this.provider.knownRootKeyIds.filter((id) => id !== this.provider.rootKeyId);
    const { batch, counts } = await tenancy.asSystem(async (tx) => ({
      batch: await this.all.under(tx, former, this.#after, atOnce),
      counts: await this.all.count(tx),
    }));
    this.#tell(former, counts);
    for (const one of batch) {
      // One that cannot be wrapped anew, or a provider that is away, holds up nothing: the next round looks again.
      this.#after = one.id;
      const wrapped = await this.#rewrapped(one).catch((error: unknown) => {
        throw new Error(`${one.id} of ${one.table} could not be wrapped under the current root key.`, { cause: error });
      });
      await tenancy.asSystem((tx) => this.all.rewrap(tx, one, wrapped));
    }
    if (batch.length < atOnce) this.#after = null;
    return batch.length === atOnce ? batch.length : 0;
  }

  /** Under the current root key; opened there before it is answered. */
  async #rewrapped({ wrapped: before, place }: Wrapped): Promise<Buffer> {
    const secret = await this.provider.unwrap(before, place);
    try {
      const wrapped = await this.provider.wrap(secret, place);
      const again = await this.provider.unwrap(wrapped, place);
      const same = again.equals(secret) && rootKeyIdOf(wrapped) === this.provider.rootKeyId;
      again.fill(0);
      if (!same) throw new Error('The key provider opens something else.');
      return wrapped;
    } finally {
      secret.fill(0);
    }
  }

  #tell(former: readonly string[], counts: readonly { rootKeyId: string; count: number }[]): void {
    for (const one of counts) {
      this.#used.add(one.rootKeyId);
      // Also what was of no use: a process that does not know the current one yet has wrapped under it once more.
      if (this.provider.knownRootKeyIds.includes(one.rootKeyId)) this.#told.delete(one.rootKeyId);
      else if (this.#isNews(one.rootKeyId))
        this.log.error(
          one,
          'credentials or passwords are wrapped under a root key that is not configured: name it in KEY_PROVIDER as a former one',
        );
    }
    for (const rootKeyId of former) {
      if (this.#used.has(rootKeyId) && counts.every((one) => one.rootKeyId !== rootKeyId) && this.#isNews(rootKeyId))
        this.log.info(
          { rootKeyId },
          'nothing is wrapped under this former root key any more: when every process has the current one, take it away',
        );
    }
  }

  #isNews(rootKeyId: string): boolean {
    if (this.#told.has(rootKeyId)) return false;
    this.#told.add(rootKeyId);
    return true;
  }
}
