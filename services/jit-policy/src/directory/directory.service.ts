import { Inject, Injectable } from '@nestjs/common';
import { Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { CopyMissing, enterCopied, inCopiedTenant, patiently, Tenancy, visiblePatiently, type TenantTx, type Tx } from '@stint/tenancy';
import { CLOCK } from '../tokens.ts';
import type { DeviceCopy } from './directory.domain.ts';
import { DirectoryRepository } from './directory.repository.ts';

/** What we know of other services' things, and the patience with those that were made a moment ago. */
@Injectable()
export class DirectoryService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** `patiently` by the service's clock. */
  async patiently<T>(attempt: () => Promise<T>): Promise<T> {
    return patiently(this.clock, attempt);
  }

  /** `Tenancy.inTenant`, patient with a fresh tenant. Problem `NotFound` when it stays out of reach. */
  async inTenant<T>(actor: Actor, tenantId: Id, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    return inCopiedTenant(this.tenancy, this.clock, actor, tenantId, work);
  }

  /** Scopes to the tenant of the calling device with the device locked; patient with a fresh one. A revoked device is refused. */
  async asDevice<T>(actor: Actor, work: (tx: TenantTx, device: DeviceCopy) => Promise<T>): Promise<T> {
    const ids = [actor.id, actor.tenantId];
    return this.patiently(() =>
      enterCopied(this.tenancy, { actor, tenantId: actor.tenantId, ids, answer: unknownDevice() }, async (tx) =>
        work(tx, usable(await this.copies.deviceLocked(tx, actor.mspId, actor.id), actor)),
      ),
    );
  }

  /** The same for reading only, without a lock. */
  async readAsDevice<T>(actor: Actor, work: (tx: Tx, device: DeviceCopy) => Promise<T>): Promise<T> {
    return this.patiently(() =>
      this.tenancy.readTenants(actor, async (tx) => work(tx, usable(await this.copies.device(tx, actor.mspId, actor.id), actor))),
    );
  }

  /** Those of `ids` that the actor reaches, patient with fresh ones. */
  async visible(actor: Actor, kind: 'tenant' | 'device', ids: readonly Id[]): Promise<Set<Id>> {
    return visiblePatiently(this.clock, ids, (wanted) =>
      this.tenancy.readTenants(actor, (tx) => this.copies.visible(tx, actor.mspId, kind, wanted)),
    );
  }
}

function usable(device: DeviceCopy | null, actor: Actor): DeviceCopy {
  if (device === null) throw new CopyMissing([actor.id, actor.tenantId], unknownDevice());
  if (!device.active) throw new Refusal('FORBIDDEN', 'This device was revoked. Enrol it again.');
  return device;
}

function unknownDevice(): Refusal {
  return new Refusal('TRY_AGAIN', 'This device is not known here yet. Try again in a minute.');
}
