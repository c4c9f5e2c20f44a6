import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { asSelf, id as idField, type Actor } from '@stint/contracts';
import { conflict, isId, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type TenantTx } from '@stint/tenancy';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, PUSH_SETUP, type PushSetup } from '../tokens.ts';
import { assertRoom, checkSubscription, type PushSubscription } from './push.domain.ts';
import { PushRepository } from './push.repository.ts';

const saveInput = z.object({ id: idField, endpoint: z.string(), p256dh: z.string(), auth: z.string() });

/** A technician's own browsers that get push messages. */
@Injectable()
export class PushService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly subscriptions: PushRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUSH_SETUP) private readonly setup: PushSetup,
  ) {}

  get publicKey(): string {
    return this.setup.publicKey;
  }

  async own(caller: Actor): Promise<PushSubscription[]> {
    if (caller.kind !== 'technician') return [];
    return this.tenancy.readTenants(asSelf(caller), (tx) => this.subscriptions.ofTechnician(tx, caller.mspId, caller.id));
  }

  /** Takes a browser on, or its new keys; the same call again answers the same. */
  async save(caller: Actor, raw: unknown): Promise<PushSubscription> {
    const input = checkInput(saveInput, raw);
    checkSubscription(input, this.setup.hosts);
    const sessionId = caller.kind === 'technician' ? caller.sessionId : undefined;
    return this.#asSelf(caller, async (tx, self) => {
      const { mspId, tenantId, id: technicianId } = self;
      const now = this.clock.now();
      if (!isId(sessionId) || !(await this.subscriptions.holdSession(tx, self, sessionId, now))) throw conflict('Sign in first.');
      const known = await this.subscriptions.ofTechnician(tx, mspId, technicianId);
      const same = known.find(({ endpoint }) => endpoint === input.endpoint);
      if (same !== undefined && same.id !== input.id) await this.subscriptions.remove(tx, mspId, technicianId, same.id);
      const before = known.find(({ id }) => id === input.id);
      if (before === undefined) assertRoom(known.length - (same === undefined ? 0 : 1));
      const saved = { mspId, tenantId, technicianId, sessionId, createdAt: before?.createdAt ?? now, ...input };
      if (!(await this.subscriptions.save(tx, saved))) throw conflict('This id is taken. Use a fresh one.');
      if (before?.endpoint !== saved.endpoint)
        await audit(tx, {
          ...{ action: 'push-subscription.saved', subjectId: technicianId, occurredAt: now },
          details: { pushSubscriptionId: saved.id, service: new URL(saved.endpoint).host },
        });
      return saved;
    });
  }

  async remove(caller: Actor, rawId: string): Promise<Id> {
    const id = checkId(rawId, 'push subscription');
    return this.#asSelf(caller, async (tx, { mspId, id: technicianId }) => {
      if (!(await this.subscriptions.remove(tx, mspId, technicianId, id))) throw notFound('push subscription');
      await audit(tx, {
        ...{ action: 'push-subscription.removed', subjectId: technicianId, occurredAt: this.clock.now() },
        details: { pushSubscriptionId: id },
      });
      return id;
    });
  }

  async #asSelf<T>(caller: Actor, work: (tx: TenantTx, self: Actor) => Promise<T>): Promise<T> {
    const self = asSelf(caller);
    return this.tenancy.inTenant(self, self.tenantId, (tx) => work(tx, self));
  }
}
