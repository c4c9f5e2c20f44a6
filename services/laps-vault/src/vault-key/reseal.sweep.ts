import { Inject, Injectable } from '@nestjs/common';
import type { Id } from '@stint/kernel';
import type { SlowSweep } from '@stint/messaging';
import type { Tenancy } from '@stint/tenancy';
import { LOG, type SweepLog } from '../tokens.ts';
import { ResealRepository, type PasswordBehind } from './reseal.repository.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';
import { VaultKeyService } from './vault-key.service.ts';

const atOnce = 50;

/**
 * Seals the passwords under keys that are out of use to the key in use, a batch at a time. A password is replaced only by
 * one that was opened again, and only while it is the one that was read: who dies in between has changed nothing or all of it,
 * and whoever goes on begins with what is left. Until then it stays readable under its old key.
 */
@Injectable()
export class ResealSweep implements SlowSweep {
  readonly name = 'seal passwords to the key in use';
  readonly everyMs = 5_000;
  #key: { mspId: Id; id: Id } | null = null;
  #after: Id | null = null;
  readonly #told = new Set<Id>();

  constructor(
    private readonly passwords: ResealRepository,
    private readonly keys: VaultKeyRepository,
    private readonly vault: VaultKeyService,
    @Inject(LOG) private readonly log: SweepLog,
  ) {}

  async step(tenancy: Tenancy): Promise<number> {
    const work = await tenancy.asSystem(async (tx) => {
      const next = this.#after === null ? await this.passwords.nextKey(tx, this.#key) : this.#key;
      const from = next === null ? null : await this.keys.find(tx, next.mspId, next.id);
      const to = from === null ? null : await this.keys.inUse(tx, from.mspId, from.tenantId);
      if (from === null || to === null) return null;
      return { from, to, batch: await this.passwords.behind(tx, from, this.#after, atOnce) };
    });
    if (work === null) {
      this.#key = null;
      this.#after = null;
      return 0;
    }
    const { from, to, batch } = work;
    // What does not open is passed by, and a key that does not, so that neither holds up the others; the next round looks again.
    this.#key = { mspId: from.mspId, id: from.id };
    const after = batch.length < atOnce ? null : (batch.at(-1)?.id ?? null);
    this.#after = null;
    const done: { password: PasswordBehind; enc: Buffer; ciphertext: Buffer }[] = [];
    for (const password of batch) {
      const { id, tenantId, accountId } = password;
      const sealed = { enc: password.enc.toString('base64url'), ciphertext: password.ciphertext.toString('base64url') };
      const kept = { tenantId, accountId, versionId: id, sealed };
      const anew = await this.vault.reseal(from, to, kept).catch((error: unknown) => {
        throw new Error(`Passwords could not be moved from vault key ${from.id} to ${to.id}.`, { cause: error });
      });
      if (anew === null) this.#tell(id, from.id);
      else done.push({ password, enc: Buffer.from(anew.enc, 'base64url'), ciphertext: Buffer.from(anew.ciphertext, 'base64url') });
    }
    await tenancy.asSystem(async (tx) => {
      const held = await this.keys.held(tx, to.mspId, to.id);
      if (held?.wrappedPrivateKey == null) return;
      for (const { password, enc, ciphertext } of done) await this.passwords.move(tx, password, from, { keyId: to.id, enc, ciphertext });
    });
    this.#after = after;
    return Math.max(batch.length, 1);
  }

  #tell(versionId: Id, vaultKeyId: Id): void {
    if (this.#told.has(versionId) || this.#told.size > 10_000) return;
    this.#told.add(versionId);
    this.log.error({ versionId, vaultKeyId }, 'a kept password does not open under its key; its key is not destroyed');
  }
}
