import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { addSeconds, newId, notFound, Problem, Refusal, type Clock, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { addressesOf } from '../graph/cloud.domain.ts';
import { CLOCK, GRAPH_SETTINGS, type GraphSettings } from '../tokens.ts';
import { checkConsentAnswer, consentUrl, redirectUriOf, type ConsentAnswer } from './consent.domain.ts';
import { ConsentRepository } from './consent.repository.ts';
import { record } from './connection.news.ts';
import { ConnectionRepository } from './connection.repository.ts';
import { ConnectionService, type ShownConnection } from './connection.service.ts';

/** Where to send the browser, and until when that is good. */
export interface ConsentWay {
  url: string;
  expiresAt: Date;
}

const consentSeconds = 1_800;

/** The consent of a customer's administrator, given on a page of Microsoft to which the browser is sent and from which it comes back. */
@Injectable()
export class ConsentService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly connection: ConnectionService,
    private readonly connections: ConnectionRepository,
    private readonly consents: ConsentRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(GRAPH_SETTINGS) private readonly settings: GraphSettings,
  ) {}

  /** Begins: the state in the address is bound to this person, this session and this tenant, and is good once and for half an hour. */
  async begin(actor: Actor, tenantId: Id): Promise<ConsentWay> {
    const who = person(actor);
    const state = newToken();
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const { entraTenantId, clientId, cloud } = await this.connection.locked(tx, tenantId);
      const expiresAt = addSeconds(this.clock.now(), consentSeconds);
      const place = { mspId: actor.mspId, tenantId, id: newId() };
      await this.consents.add(tx, {
        ...{ ...place, stateHash: hashToken(state), technicianId: who.id, sessionId: who.sessionId, entraTenantId, expiresAt },
      });
      const redirectUri = redirectUriOf(this.settings.publicUrl);
      const addresses = addressesOf(cloud, this.settings.emulatorUrl);
      return { url: consentUrl(addresses, { entraTenantId, clientId, redirectUri, state }), expiresAt };
    });
  }

  /** The browser is back: what Microsoft sent along is checked, then the connection is verified. Problems `NotFound`, `EntraConsentRefused`. */
  async finish(actor: Actor, state: string, answer: ConsentAnswer): Promise<ShownConnection> {
    const who = person(actor);
    const now = this.clock.now();
    const consent = await this.tenancy.readTenants(actor, (tx) => this.consents.open(tx, actor.mspId, hashToken(state), who, now));
    if (consent === null) throw notFound('consent under way');
    const refusal = await this.directory.inTenant(actor, consent.tenantId, async (tx) => {
      const before = await this.connection.locked(tx, consent.tenantId);
      if (!(await this.consents.use(tx, consent, now))) throw notFound('consent under way');
      const wrong = checkConsentAnswer(answer, consent.entraTenantId, before.entraTenantId);
      if (wrong !== null) return wrong;
      await this.connections.save(tx, { ...before, consentedAt: now, version: before.version + 1 });
      const details = { entraTenantId: before.entraTenantId };
      await record(tx, before, { action: 'entra-connection.consented', occurredAt: now, details });
      return null;
    });
    // Thrown behind the transaction: the state is used up either way.
    if (refusal !== null) throw new Problem('EntraConsentRefused', refusal);
    return this.connection.verify(actor, consent.tenantId);
  }
}

/** Consent is a matter of people, who come back with the browser in which they left. */
function person(actor: Actor): { id: Id; sessionId: string | null } {
  if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Consent is begun and finished by a person, in a browser.');
  return { id: actor.id, sessionId: actor.sessionId ?? null };
}
