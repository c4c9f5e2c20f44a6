import { Injectable } from '@nestjs/common';
import { lapsSealing, type Sealed, sealTo } from '@stint/crypto';
import { Tenancy } from '@stint/tenancy';
import type { KeptVersion } from '../account/version.repository.ts';
import { VaultKeyRepository } from '../vault-key/vault-key.repository.ts';
import { VaultKeyService } from '../vault-key/vault-key.service.ts';

/** Opens kept passwords and seals them to somebody else, in memory, outside of any transaction. Whoever calls this has recorded it before. */
@Injectable()
export class SealingService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly vaultKeys: VaultKeyRepository,
    private readonly keys: VaultKeyService,
  ) {}

  /** Sealed to a reader's key, for this account and version alone. */
  async toReader(version: KeptVersion, recipientKey: string): Promise<Sealed> {
    const password = await this.open(version);
    try {
      const { info, aad } = lapsSealing.reveal;
      return await sealTo({ publicKey: recipientKey, info, aad: aad(version.accountId, version.id) }, password);
    } finally {
      password.fill(0);
    }
  }

  /** The password itself; the caller clears the buffer. */
  async open(version: KeptVersion): Promise<Buffer> {
    const { mspId, tenantId, accountId, id: versionId, vaultKeyId } = version;
    const key = await this.tenancy.asSystem((tx) => this.vaultKeys.find(tx, mspId, vaultKeyId));
    if (key === null || key.tenantId !== tenantId) throw new Error(`No vault key ${vaultKeyId} of tenant ${tenantId}.`);
    const sealed = { enc: version.enc.toString('base64url'), ciphertext: version.ciphertext.toString('base64url') };
    return this.keys.open(key, { tenantId, accountId, versionId, sealed });
  }
}
