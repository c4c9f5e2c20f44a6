import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { conflict, notFound, type Clock, type Id } from '@stint/kernel';
import { Tenancy, type SystemTx, type TenantTx, type Tx } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { begun, changeable, checkedRegistration, sameRegistration, type EntraConnection, type Registration } from './connection.domain.ts';
import { record, tellUse } from './connection.news.ts';
import { ConnectionRepository } from './connection.repository.ts';
import type { Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';
import { noDependents, type Dependents } from './dependent.domain.ts';
import { DependentRepository } from './dependent.repository.ts';
import { EntraRemains } from './remains.ts';
import { VerificationService } from './verification.service.ts';

/** A connection with all that is shown of it. */
export interface ShownConnection {
  connection: EntraConnection;
  credentials: Credential[];
  /** How many grants and accounts Stint still has in the Entra tenant. */
  remaining: number;
  /** What else lives on by it. */
  dependents: Dependents;
  /** When it was looked at. */
  now: Date;
}

/** Connections of tenants to their Entra tenants: begun, looked at, ended. */
@Injectable()
export class ConnectionService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly connections: ConnectionRepository,
    private readonly credentials: CredentialRepository,
    private readonly remains: EntraRemains,
    private readonly dependents: DependentRepository,
    private readonly verification: VerificationService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The connections of several tenants, null where there is none; tenants out of reach are not in the answer. */
  async readAll(actor: Actor, tenantIds: readonly Id[]): Promise<Map<Id, ShownConnection | null>> {
    const visible = [...(await this.directory.visibleTenants(actor, tenantIds))];
    if (visible.length === 0) return new Map();
    return this.tenancy.readTenants(actor, async (tx) => {
      const connections = await this.connections.several(tx, actor.mspId, visible);
      const credentials = await this.credentials.several(tx, actor.mspId, visible);
      const remaining = await this.remains.countOf(tx, actor.mspId, visible);
      const dependents = await this.dependents.several(tx, actor.mspId, visible);
      const now = this.clock.now();
      const shown = new Map<Id, ShownConnection | null>(visible.map((id) => [id, null]));
      for (const connection of connections) {
        const { tenantId } = connection;
        const own = credentials.filter((one) => one.tenantId === tenantId);
        shown.set(tenantId, {
          ...{ connection, credentials: own, remaining: remaining.get(tenantId) ?? 0, now },
          dependents: dependents.get(tenantId) ?? noDependents,
        });
      }
      return shown;
    });
  }

  /** Begins to connect a tenant. The same call again changes nothing; until a connection has worked its ids can be corrected. */
  async begin(actor: Actor, tenantId: Id, given: Registration): Promise<ShownConnection> {
    const registration = checkedRegistration(given);
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const before = await this.connections.locked(tx, actor.mspId, tenantId);
      if (before !== null && before.state !== 'DISCONNECTED' && sameRegistration(before, registration)) return this.shown(tx, before);
      const connection = begun({ mspId: actor.mspId, tenantId }, registration, before);
      if (!(await this.connections.begin(tx, connection))) {
        throw conflict('This Entra tenant is connected to another of your tenants. Disconnect it there first.');
      }
      if (before !== null && before.entraTenantId !== connection.entraTenantId)
        await this.remains.leaveBehind(tx, actor.mspId, tenantId, before.entraTenantId);
      const details = { ...registration, state: connection.state };
      await record(tx, connection, { action: 'entra-connection.changed', occurredAt: this.clock.now(), details });
      await tellUse(tx, before, connection);
      return this.shown(tx, connection);
    });
  }

  /** Verifies now, for somebody who waits. */
  async verify(actor: Actor, tenantId: Id): Promise<ShownConnection> {
    await this.directory.inTenant(actor, tenantId, (tx) => this.locked(tx, tenantId));
    if ((await this.verification.verify(actor.mspId, tenantId, actor)) === null) throw unknown();
    return this.#readKnown(actor, tenantId);
  }

  /**
   * Ends the connection: nothing new begins, what is there is ended, and then the credentials are forgotten. `giveUp` forgets them at
   * once, and what is left in the Entra tenant stays there.
   */
  async disconnect(actor: Actor, tenantId: Id, giveUp: boolean): Promise<ShownConnection> {
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const before = await this.connections.locked(tx, actor.mspId, tenantId);
      if (before === null || before.state === 'DISCONNECTED') throw unknown();
      const leaving = before.state === 'DISCONNECTING' ? before : await this.#leave(tx, before);
      await this.remains.end(tx, actor.mspId, tenantId);
      const remaining = await this.remains.count(tx, actor.mspId, tenantId);
      if (giveUp || remaining === 0) return this.shown(tx, await this.finish(tx, leaving, remaining));
      return this.shown(tx, leaving);
    });
  }

  /** Forgets the credentials of a connection that is being ended. */
  async finish(tx: TenantTx | SystemTx, leaving: EntraConnection, remaining: number): Promise<EntraConnection> {
    const { mspId, tenantId } = leaving;
    const ended: EntraConnection = {
      ...leaving,
      ...{ state: 'DISCONNECTED', problems: [], facts: null, consentedAt: null, verifyDueAt: null, version: leaving.version + 1 },
    };
    if (!(await this.connections.save(tx, ended))) throw conflict('Somebody changes this connection at this moment. Try again.');
    await this.credentials.removeAll(tx, mspId, tenantId);
    const now = this.clock.now();
    const { breakGlassAccounts, source } = (await this.dependents.several(tx, mspId, [tenantId])).get(tenantId) ?? noDependents;
    const details = { remaining, breakGlassAccounts: breakGlassAccounts.length, peopleOfSource: source?.people ?? 0 };
    await record(tx, ended, { action: 'entra-connection.disconnected', occurredAt: now, details });
    await this.dependents.lookNow(tx, mspId, tenantId, now);
    return ended;
  }

  /** The connection, locked, unless it is ended or ends. Problem `NotFound` or `Conflict`. */
  async locked(tx: TenantTx, tenantId: Id): Promise<EntraConnection> {
    const connection = await this.connections.locked(tx, tx.scope.mspId, tenantId);
    if (connection === null) throw unknown();
    return changeable(connection);
  }

  async shown(tx: Tx, connection: EntraConnection): Promise<ShownConnection> {
    const { mspId, tenantId } = connection;
    const credentials = await this.credentials.of(tx, mspId, tenantId);
    const dependents = (await this.dependents.several(tx, mspId, [tenantId])).get(tenantId) ?? noDependents;
    return { connection, credentials, remaining: await this.remains.count(tx, mspId, tenantId), dependents, now: this.clock.now() };
  }

  async #readKnown(actor: Actor, tenantId: Id): Promise<ShownConnection> {
    const shown = (await this.readAll(actor, [tenantId])).get(tenantId);
    if (shown == null) throw unknown();
    return shown;
  }

  async #leave(tx: TenantTx, before: EntraConnection): Promise<EntraConnection> {
    const leaving: EntraConnection = { ...before, state: 'DISCONNECTING', verifyDueAt: null, version: before.version + 1 };
    if (!(await this.connections.save(tx, leaving))) throw conflict('Somebody changes this connection at this moment. Try again.');
    const details = { state: leaving.state };
    await record(tx, leaving, { action: 'entra-connection.changed', occurredAt: this.clock.now(), details });
    await tellUse(tx, before, leaving);
    return leaving;
  }
}

function unknown() {
  return notFound('connection to Entra ID');
}
