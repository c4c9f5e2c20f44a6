import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { asSelf, id, narrowed, type Actor } from '@stint/contracts';
import { conflict, isId, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK, REVOKE, type Revoke } from '../tokens.ts';
import { ArtefactRepository } from './artefact.repository.ts';
import { signInMethods, type EndReason, type Session } from './session.domain.ts';
import { SessionRepository } from './session.repository.ts';

const startInput = z.object({
  id,
  technicianId: id,
  client: z.string().min(1).max(100),
  // A header that anybody may send: shown to people, so kept short and printable.
  userAgent: z.string().transform((text) => text.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 300)),
  signedInBy: z.enum(signInMethods),
  payload: z.string().max(10_000),
  expiresAt: z.coerce.date(),
});

/** The body of the broadcast that ends a session's access tokens at once. */
export function sessionSubject(sessionId: Id): string {
  return `session:${sessionId}`;
}

/** The sessions of people: how they begin, who sees them, and every way in which they end. */
@Injectable()
export class SessionService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly sessions: SessionRepository,
    private readonly artefacts: ArtefactRepository,
    private readonly tenants: TenantRepository,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(REVOKE) private readonly revocation: Revoke,
  ) {}

  /** Keeps a session that begins, as the gateway tells. */
  async start(raw: unknown): Promise<Session> {
    const input = checkInput(startInput, raw);
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const session = await this.sessions.insert(tx, { ...input, createdAt: now }, input.payload);
      if (session === null) throw conflict('This technician cannot sign in.');
      const { mspId, tenantId, technicianId, client, signedInBy } = session;
      await audit(tx, {
        ...{ action: 'session.started', subjectId: session.id, occurredAt: now, mspId, tenantId },
        ...{ actor: { kind: 'technician', id: technicianId }, details: { client, signedInBy } },
      });
      return session;
    });
  }

  /** What the authorization server wants back of a session; null when it has ended. */
  async payload(sessionId: string): Promise<string | null> {
    if (!isId(sessionId)) return null;
    return this.tenancy.asSystem((tx) => this.sessions.payload(tx, sessionId, this.clock.now()));
  }

  /** Ends a session because of what the authorization server saw. Again is harmless. */
  async endForReuse(sessionId: Id): Promise<void> {
    await this.tenancy.asSystem((tx) => this.end(tx, sessionId, 'token-reused', null));
  }

  /** Ends a session of the caller's own, or of a technician whom the caller administers. */
  async revoke(actor: Actor, rawId: string): Promise<Session> {
    const sessionId = checkId(rawId, 'session');
    return this.tenancy.asSystem(async (tx) => {
      const session = await this.sessions.lock(tx, sessionId);
      if (session === null || session.mspId !== actor.mspId || session.expiresAt <= this.clock.now()) throw notFound('session');
      const own = actor.kind === 'technician' && actor.id === session.technicianId;
      const administers = await this.tenants.reached(tx, narrowed(actor, ['technician.write']), session.tenantId);
      if (!own && (actor.kind === 'device' || administers === null)) throw notFound('session');
      await this.end(tx, sessionId, 'revoked', actor);
      return session;
    });
  }

  /** Ends all sessions of a technician, in the transaction of what is the reason for it. */
  async endAllOf(tx: SystemTx, mspId: Id, technicianId: Id, actor: Actor | null): Promise<void> {
    for (const session of await this.sessions.ofTechnicians(tx, mspId, [technicianId], new Date(0)))
      await this.end(tx, session.id, 'technician-changed', actor);
  }

  /** Removes a session with all its tokens and tells the gateways. False when it had ended. */
  async end(tx: SystemTx, sessionId: Id, reason: EndReason, actor: Actor | null): Promise<boolean> {
    const session = await this.sessions.lock(tx, sessionId);
    if (session === null) return false;
    await this.artefacts.removeOfSessions(tx, [sessionId]);
    await this.sessions.remove(tx, [sessionId]);
    const { mspId, tenantId, technicianId, client } = session;
    await audit(tx, {
      ...{ action: 'session.revoked', subjectId: sessionId, occurredAt: this.clock.now(), mspId, tenantId, actor },
      ...{ details: { reason, technicianId, client } },
    });
    tx.afterCommit(() => this.revocation(sessionSubject(sessionId)));
    return true;
  }

  /** The sessions of technicians: of all whom the actor administers, or the actor's own. */
  async ofTechnicians(actor: Actor, technicianIds: readonly Id[]): Promise<Session[]> {
    const now = this.clock.now();
    return this.tenancy.readTenants(actor, (tx) => this.sessions.ofTechnicians(tx, actor.mspId, technicianIds, now));
  }

  async own(actor: Actor): Promise<Session[]> {
    return actor.kind === 'technician' ? this.ofTechnicians(asSelf(actor), [actor.id]) : [];
  }
}
