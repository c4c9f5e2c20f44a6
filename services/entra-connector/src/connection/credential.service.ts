import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { makeClientCertificate } from '@stint/crypto';
import { addSeconds, conflict, newId, type Clock, type Id } from '@stint/kernel';
import type { TenantTx } from '@stint/tenancy';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { record } from './connection.news.ts';
import { ConnectionRepository } from './connection.repository.ts';
import { ConnectionService, type ShownConnection } from './connection.service.ts';
import { certificateSeconds, checkedSecret, type Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';
import { Keyring } from './keyring.service.ts';

/** The credentials of connections: a new one stands beside the old one until it has proved itself. */
@Injectable()
export class CredentialService {
  constructor(
    private readonly directory: DirectoryService,
    private readonly connection: ConnectionService,
    private readonly connections: ConnectionRepository,
    private readonly credentials: CredentialRepository,
    private readonly keyring: Keyring,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Makes a key pair and a certificate whose public part is to be uploaded. The private key leaves this service never. */
  async addCertificate(actor: Actor, tenantId: Id): Promise<ShownConnection> {
    await this.#assertChangeable(actor, tenantId);
    const now = this.clock.now();
    const endsAt = addSeconds(now, certificateSeconds);
    // A certificate counts in whole seconds; from a minute before, for clocks that are late.
    const made = await makeClientCertificate({ commonName: `Stint ${tenantId}`, startsAt: addSeconds(now, -60), endsAt });
    const { pem: certificatePem, thumbprint, thumbprintS256 } = made;
    return this.#add(actor, tenantId, made.privateKey, { kind: 'CERTIFICATE', certificatePem, thumbprint, thumbprintS256, endsAt });
  }

  /** Takes a client secret that somebody made in Entra. */
  async addSecret(actor: Actor, tenantId: Id, secret: string, endsOn: string): Promise<ShownConnection> {
    const endsAt = checkedSecret(secret, endsOn, this.clock.now());
    await this.#assertChangeable(actor, tenantId);
    const none = { certificatePem: null, thumbprint: null, thumbprintS256: null };
    return this.#add(actor, tenantId, Buffer.from(secret), { kind: 'SECRET', ...none, endsAt });
  }

  /** Removes a credential that is not in use: a former one before its time, or a new one. */
  async remove(actor: Actor, tenantId: Id, credentialId: Id): Promise<ShownConnection> {
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const connection = await this.connection.locked(tx, tenantId);
      if (!(await this.credentials.remove(tx, actor.mspId, tenantId, credentialId))) {
        throw conflict('Only a credential that is not in use can be removed. Add another one first; it takes over when it works.');
      }
      const details = { why: 'ASKED' };
      const occurredAt = this.clock.now();
      await record(tx, connection, { action: 'entra-connection.credential-removed', subjectId: credentialId, occurredAt, details });
      return this.connection.shown(tx, connection);
    });
  }

  async #assertChangeable(actor: Actor, tenantId: Id): Promise<void> {
    await this.directory.inTenant(actor, tenantId, (tx) => this.connection.locked(tx, tenantId));
  }

  async #add(
    actor: Actor,
    tenantId: Id,
    secret: Buffer,
    given: Pick<Credential, 'kind' | 'certificatePem' | 'thumbprint' | 'thumbprintS256' | 'endsAt'>,
  ): Promise<ShownConnection> {
    const place = { mspId: actor.mspId, tenantId, id: newId() };
    const wrapped = await this.keyring.wrap(secret, place).finally(() => secret.fill(0));
    const createdAt = this.clock.now();
    const credential: Credential = { ...place, ...given, state: 'NEW', wrapped, createdAt, retiredAt: null, warnedDays: null };
    return this.directory.inTenant(actor, tenantId, (tx) => this.#keep(tx, credential));
  }

  async #keep(tx: TenantTx, credential: Credential): Promise<ShownConnection> {
    const { tenantId, id, kind, endsAt, createdAt: occurredAt } = credential;
    const before = await this.connection.locked(tx, tenantId);
    // A verification under way has not seen it.
    const connection = { ...before, version: before.version + 1 };
    await this.connections.save(tx, connection);
    const replaced = await this.credentials.add(tx, credential);
    if (replaced !== null) {
      const details = { why: 'REPLACED' };
      await record(tx, connection, { action: 'entra-connection.credential-removed', subjectId: replaced, occurredAt, details });
    }
    const details = { kind, endsAt: endsAt.toISOString() };
    await record(tx, connection, { action: 'entra-connection.credential-added', subjectId: id, occurredAt, details });
    return this.connection.shown(tx, connection);
  }
}
