import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { conflict, type Clock, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { DirectoryError } from '../graph/directory-error.ts';
import type { EntraDirectory, Urgency } from '../graph/directory.port.ts';
import { credentialError } from '../graph/token-failure.domain.ts';
import { CLOCK } from '../tokens.ts';
import { verified, type EntraConnection } from './connection.domain.ts';
import { record, recordTurn, tellUse } from './connection.news.ts';
import { ConnectionRepository } from './connection.repository.ts';
import type { Credential } from './credential.domain.ts';
import { CredentialRepository } from './credential.repository.ts';
import { DependentRepository } from './dependent.repository.ts';
import { EntraAccessService } from './entra-access.service.ts';
import { credentialProblem, findProblems, knowledgeOf, type ConnectionProblem, type TenantKnowledge } from './finding.domain.ts';

/** Who wants it; null: nobody, it is a round of our own. */
export type Asker = Pick<Actor, 'kind' | 'id'> | null;

interface Outcome {
  problems: ConnectionProblem[];
  facts: TenantKnowledge | null;
  /** The credential that has proved itself. */
  proved: Credential | null;
}

const tries = 3;

/** Looks whether a connection does what it must, and names each thing that it lacks. Asks Microsoft: never inside a transaction. */
@Injectable()
export class VerificationService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly connections: ConnectionRepository,
    private readonly credentials: CredentialRepository,
    private readonly access: EntraAccessService,
    private readonly dependents: DependentRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Verifies and keeps what was found. A new credential that proves itself takes over. Null when there is no connection (any more). */
  async verify(mspId: Id, tenantId: Id, asker: Asker): Promise<EntraConnection | null> {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const known = await this.tenancy.asSystem(async (tx) => ({
        connection: await this.connections.find(tx, mspId, tenantId),
        credentials: await this.credentials.of(tx, mspId, tenantId),
      }));
      if (known.connection === null || known.connection.state === 'DISCONNECTED') return null;
      const outcome = await this.#look(known.connection, known.credentials, asker === null ? 'LOW' : 'HIGH');
      const saved = await this.#save(known.connection, outcome, asker);
      // Somebody changed the connection meanwhile: what was found does not count.
      if (saved !== null) return saved;
    }
    throw conflict('The connection is being changed at this moment. Verify it again.');
  }

  async #save(before: EntraConnection, outcome: Outcome, asker: Asker): Promise<EntraConnection | null> {
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const after = verified(before, outcome, now, Math.random());
      if (!(await this.connections.save(tx, after))) return null;
      if (outcome.proved?.state === 'NEW') await this.credentials.takeOver(tx, outcome.proved, now);
      await tellUse(tx, before, after);
      await recordTurn(tx, before, after, now);
      // What stood still goes on at once, or says that it cannot.
      if (before.state !== 'READY' && after.state === 'READY') await this.dependents.lookNow(tx, after.mspId, after.tenantId, now);
      if (asker !== null) {
        const details = { state: after.state, problems: after.problems.map(({ code }) => code).join(', ') };
        await record(tx, after, { action: 'entra-connection.verified', occurredAt: now, actor: asker, details });
      }
      return after;
    });
  }

  async #look(connection: EntraConnection, credentials: readonly Credential[], urgency: Urgency): Promise<Outcome> {
    const [fresh, inUse] = (['NEW', 'IN_USE'] as const).map((state) => credentials.find((one) => one.state === state));
    const first = fresh ?? inUse;
    if (first === undefined) return { problems: [credentialProblem(credentialError('NOT_CONNECTED'))], facts: null, proved: null };
    const outcome = await this.#lookWith(connection, first, urgency);
    if (outcome.proved !== null || inUse === undefined || first === inUse) return outcome;
    // The new one does not work yet: the old one still counts.
    const old = await this.#lookWith(connection, inUse, urgency);
    const about = inUse.kind === first.kind ? `the new ${first.kind.toLowerCase()}` : `the ${first.kind.toLowerCase()}`;
    return { ...old, problems: [...old.problems, ...outcome.problems.map((problem) => ({ ...problem, blocking: false, about }))] };
  }

  async #lookWith(connection: EntraConnection, credential: Credential, urgency: Urgency): Promise<Outcome> {
    const directory = this.access.with(connection, credential, urgency);
    try {
      const { problems, facts } = await this.#read(connection, directory);
      return { problems, facts, proved: credential };
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      return { problems: [credentialProblem(error)], facts: null, proved: null };
    }
  }

  async #read({ entraTenantId }: EntraConnection, { tenant, passes, roles }: EntraDirectory) {
    const identity = await tenant.identity();
    if (identity.entraTenantId.toLowerCase() !== entraTenantId) throw credentialError('WRONG_TENANT');
    const [ownRoles, displayName, domains, rolesCanEnd, passPolicy] = await Promise.all([
      orError(roles.of(identity.servicePrincipalId)),
      orError(tenant.displayName()),
      orError(tenant.domains()),
      orError(tenant.rolesCanEnd()),
      orError(passes.policy()),
    ]);
    const readings = { identity, ownRoles, displayName, domains, rolesCanEnd, passPolicy };
    return { problems: findProblems(readings), facts: knowledgeOf(readings) };
  }
}

/** What a reading gave, or why it gave nothing. Without a token nothing else can be read either. */
async function orError<Value>(reading: Promise<Value>): Promise<Value | DirectoryError> {
  return reading.catch((error: unknown) => {
    if (error instanceof DirectoryError && error.kind !== 'CREDENTIAL') return error;
    throw error;
  });
}
