import { Injectable } from '@nestjs/common';
import { audit, type Sweep } from '@stint/messaging';
import type { SystemTx } from '@stint/tenancy';
import { closedBefore, destroyableBefore } from './vault-key.domain.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';

/** Destroys the private halves of keys that take no more passwords and have none. */
@Injectable()
export class RetiredKeySweep implements Sweep {
  readonly name = 'destroy retired vault keys';
  readonly everyMs = 60_000;

  constructor(private readonly keys: VaultKeyRepository) {}

  async run(tx: SystemTx, now: Date): Promise<number> {
    await this.keys.noteEmpty(tx, closedBefore(now), now);
    const destroyed = await this.keys.destroyEmpty(tx, destroyableBefore(now), now, 100);
    for (const { mspId, tenantId, id } of destroyed)
      await audit(tx, { action: 'vault-key.destroyed', subjectId: id, occurredAt: now, actor: null, mspId, tenantId });
    return destroyed.length;
  }
}
