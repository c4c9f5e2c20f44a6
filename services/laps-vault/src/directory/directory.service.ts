import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { isId, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { Tenancy, type TenantTx, type Tx } from '@stint/tenancy';
import { CLOCK } from '../tokens.ts';
import { mayStillArrive, type DeviceCopy } from './directory.domain.ts';
import { DirectoryRepository } from './directory.repository.ts';

const patienceMs = 5_000;
const firstPauseMs = 5;
const longestPauseMs = 50;

/**
 * Something is not in our copies. `answer` is what the caller gets in the end; while one of `ids` is so new that its
 * message may be on the way, `DirectoryService.patiently` tries again first.
 */
export class CopyMissing extends Error {
  readonly ids: readonly Id[];
  readonly answer: Error;

  constructor(ids: readonly Id[], answer: Error) {
    super(answer.message);
    this.name = 'CopyMissing';
    this.ids = ids;
    this.answer = answer;
  }
}

/** What we know of other services' things, and the patience with those that were made a moment ago. */
@Injectable()
export class DirectoryService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Runs `attempt` again while it throws `CopyMissing` about a fresh id, for up to 5 s; each attempt is its own
   * transaction and none is open in between. Unknown and foreign ids wait alike, old ones not at all.
   */
  async patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const started = performance.now();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 1.5)) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof CopyMissing)) throw error;
        const now = this.clock.now();
        if (performance.now() - started >= patienceMs || !error.ids.some((id) => mayStillArrive(id, now))) throw error.answer;
        await delay(pauseMs);
      }
    }
  }

  /** `Tenancy.inTenant`, patient with a fresh tenant. Problem `NotFound` when it stays out of reach. */
  async inTenant<T>(actor: Actor, tenantId: Id, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    if (!isId(tenantId)) throw notFound('tenant');
    return this.patiently(() => this.#enter(actor, tenantId, [tenantId], notFound('tenant'), work));
  }

  /** Scopes to the tenant of the calling device with the device locked; patient with a fresh one. A revoked device is refused. */
  async asDevice<T>(actor: Actor, work: (tx: TenantTx, device: DeviceCopy) => Promise<T>): Promise<T> {
    const ids = [actor.id, actor.tenantId];
    return this.patiently(() =>
      this.#enter(actor, actor.tenantId, ids, unknownDevice(), async (tx) =>
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
    const wanted = ids.filter(isId);
    if (wanted.length === 0) return new Set();
    let found = new Set<Id>();
    const gone = notFound(kind);
    const complete = async () => {
      found = await this.tenancy.readTenants(actor, (tx) => this.copies.visible(tx, actor.mspId, kind, wanted));
      const missing = wanted.filter((id) => !found.has(id));
      if (missing.length > 0) throw new CopyMissing(missing, gone);
    };
    await this.patiently(complete).catch((error: unknown) => {
      if (error !== gone) throw error;
    });
    return found;
  }

  async #enter<T>(actor: Actor, tenantId: Id, ids: readonly Id[], answer: Error, work: (tx: TenantTx) => Promise<T>): Promise<T> {
    let entered = false;
    try {
      return await this.tenancy.inTenant(actor, tenantId, (tx) => {
        entered = true;
        return work(tx);
      });
    } catch (error) {
      if (entered || !(error instanceof Problem) || error.type !== 'NotFound') throw error;
      throw new CopyMissing(ids, answer);
    }
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
