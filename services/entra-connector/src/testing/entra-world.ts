import { join } from 'node:path';
import type { AuditEvent, Payload } from '@stint/contracts';
import { generateHpkeKeyPair, openEntraCredential, type HpkeKeyPair } from '@stint/crypto';
import {
  exchangeProblems,
  GraphEmulator,
  permissionIds,
  type EntraTenant,
  type GraphPermission,
  type TenantGiven,
} from '@stint/graph-emulator';
import { addSeconds, newId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { createTestDatabase, FakeClock, type TestDatabase } from '@stint/testing';
import { AccountFactsCache } from '../account/account-facts.ts';
import { AccountRepository, type Claim } from '../account/account.repository.ts';
import { ChangeService } from '../account/change.service.ts';
import { ConvergenceService, type SystemTenancy } from '../account/convergence.service.ts';
import { DecisionService, leaseSeconds } from '../account/decision.service.ts';
import { LookService } from '../account/look.service.ts';
import { OutcomeService } from '../account/outcome.service.ts';
import { StepRepository } from '../account/step.repository.ts';
import { EntraRemains } from '../connection/remains.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { EntraAccess, type EntraDirectory, type Urgency } from '../graph/directory.port.ts';
import { graphDirectory } from '../graph/graph.directory.ts';
import { GraphTransport } from '../graph/graph.transport.ts';
import { GrantConsumer } from '../grant/grant.consumer.ts';
import type { EntraGrant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { StuckSweep } from '../grant/stuck.sweep.ts';
import { ReconcileRepository } from '../reconcile/reconcile.repository.ts';
import { ReconcileSweep } from '../reconcile/reconcile.sweep.ts';
import { Mortal, ProcessDied } from './mortal.ts';

const secret = 'a-secret-of-the-app';
const daySeconds = 86_400;

export type Wanted = Payload<'entra-grant-changed'>;

/** The way to the emulator, as one app with one secret. Waiting moves the clock. */
class EmulatorAccess extends EntraAccess {
  readonly #world: EntraWorld;
  readonly #transport: GraphTransport;

  constructor(world: EntraWorld) {
    super();
    this.#world = world;
    const delay = async (ms: number) => Promise.resolve(world.clock.advance(ms / 1000));
    this.#transport = new GraphTransport({ clock: world.clock, delay, chance: () => 0.5, timeoutMs: 5_000 });
  }

  async of(_mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    const { graph, clock } = this.#world;
    const { entra, clientId } = this.#world.connected(tenantId);
    const caller = {
      ...{ key: `${tenantId} ${clientId}`, entraTenantId: entra.id, clientId, urgency },
      ...{ addresses: { graphUrl: graph.url, loginUrl: graph.loginUrl }, prove: () => Promise.resolve({ client_secret: secret }) },
    };
    return Promise.resolve(graphDirectory(this.#transport, caller, clock));
  }
}

/** Grants made real in an emulated Entra tenant, on a real database, in one process that can be killed at any moment. */
export class EntraWorld {
  readonly mspId = newId();
  readonly accounts = new AccountRepository();
  readonly grants = new GrantRepository();
  readonly copies = new DirectoryRepository();
  readonly steps = new StepRepository();
  readonly keys = new Map<Id, HpkeKeyPair>();
  readonly #connections = new Map<Id, { entra: EntraTenant; clientId: string; servicePrincipalId: string }>();
  readonly #versions = new Map<Id, number>();
  readonly access: EntraAccess;

  private constructor(
    readonly database: TestDatabase,
    readonly tenancy: Tenancy,
    readonly graph: GraphEmulator,
    /** One for both sides. */
    readonly clock: FakeClock,
  ) {
    this.access = new EmulatorAccess(this);
  }

  static async start(): Promise<EntraWorld> {
    const directory = join(import.meta.dirname, '..', '..', 'migrations');
    const database = await createTestDatabase([{ schema: 'entra_connector', directory }]);
    const { appUrl, systemUrl } = database.urls('entra_connector');
    const tenancy = await Tenancy.open({ schema: 'entra_connector', appUrl, systemUrl, poolSize: 4 });
    const clock = new FakeClock();
    const graph = await GraphEmulator.start({ clock });
    return new EntraWorld(database, tenancy, graph, clock);
  }

  /** What was asked of Microsoft meanwhile must have been as Microsoft describes it. */
  async stop(): Promise<void> {
    const problems = exchangeProblems(this.graph);
    await this.tenancy.close();
    await this.graph.stop();
    await this.database.drop();
    if (problems.length > 0) throw new Error(`Not as Microsoft Graph is described:\n${problems.join('\n')}`);
  }

  connected(tenantId: Id): { entra: EntraTenant; clientId: string } {
    const found = this.#connections.get(tenantId);
    if (found === undefined) throw new Error(`Tenant ${tenantId} is not connected.`);
    return found;
  }

  /** Our app, as a principal of the tenant. */
  servicePrincipal(tenantId: Id): string {
    return this.#connections.get(tenantId)?.servicePrincipalId ?? '';
  }

  /** What a connection that ends asks. */
  get remains() {
    const remains = new EntraRemains(this.grants, this.accounts, this.clock);
    return {
      end: (tenantId: Id) => this.tenancy.asSystem((tx) => remains.end(tx, this.mspId, tenantId)),
      count: (tenantId: Id) => this.tenancy.asSystem((tx) => remains.count(tx, this.mspId, tenantId)),
    };
  }

  /** A customer of the MSP with an Entra tenant that is connected. */
  async customer(given: TenantGiven = {}, app: { directoryRoles?: 'none'; permissions?: GraphPermission[] } = {}) {
    const tenantId = newId();
    const entra = this.graph.tenant(given);
    const { clientId, servicePrincipalId } = entra.registerApp({
      ...{ secrets: [{ value: secret }], permissions: app.permissions ?? (Object.keys(permissionIds) as GraphPermission[]) },
      directoryRoles: app.directoryRoles === 'none' ? [] : ['User Administrator'],
    });
    this.#connections.set(tenantId, { entra, clientId, servicePrincipalId });
    const told = { mspId: this.mspId, tenantId, parentId: this.mspId, path: [this.mspId, tenantId], name: 'Contoso', version: 1 };
    await this.tenancy.asSystem((tx) => this.copies.saveTenant(tx, told));
    return { tenantId, entra };
  }

  async technician(change: Partial<Payload<'technician-changed'>> = {}): Promise<Id> {
    const technicianId = change.technicianId ?? newId();
    const version = this.#next(technicianId);
    await this.tenancy.asSystem((tx) =>
      this.copies.saveTechnician(tx, {
        ...{
          mspId: this.mspId,
          tenantId: this.mspId,
          technicianId,
          email: 'anna.berg@msp.example',
          displayName: 'Anna Berg',
          active: true,
        },
        ...{ assignments: [], groupIds: [], totpEnrolled: false, version },
        ...change,
      }),
    );
    return technicianId;
  }

  /** Tells of a grant as services/jit-policy does; what is left out is as usual, or as it was told before. */
  async want(given: Partial<Wanted> & Pick<Wanted, 'tenantId' | 'technicianId'>): Promise<Wanted> {
    const grantId = given.grantId ?? newId();
    const key = this.keys.get(grantId) ?? (await generateHpkeKeyPair());
    this.keys.set(grantId, key);
    const wanted: Wanted = {
      ...{ mspId: this.mspId, grantId, wanted: true, roleName: 'User Administrator', scope: '/', accountKind: 'JIT' },
      ...{ accountPrefix: 'jit-', accountRestDays: 30 },
      ...{
        recipientKey: key.publicKey,
        sessionSeconds: 3600,
        activateBy: addSeconds(this.clock.now(), 600).toISOString(),
        expiresAt: null,
      },
      ...given,
      version: this.#next(grantId),
    };
    const consumer = new GrantConsumer(this.grants, this.accounts, this.clock);
    await this.tenancy.asSystem((tx) => consumer.entraGrantChanged(tx, wanted, { id: newId(), from: 'jit-policy' }));
    return wanted;
  }

  async grant(id: Id): Promise<EntraGrant> {
    const grant = await this.tenancy.asSystem((tx) => this.grants.find(tx, this.mspId, id));
    if (grant === null) throw new Error(`No grant ${id}.`);
    return grant;
  }

  /** The credential of a grant, opened with its technician's key. */
  async credential(grantId: Id): Promise<string | null> {
    const { tenantId, accountId, enc, ciphertext } = await this.grant(grantId);
    const key = this.keys.get(grantId);
    if (enc === null || ciphertext === null || key === undefined) return null;
    return openEntraCredential({ privateKey: key.privateKey, tenantId, grantId }, { enc, ciphertext, accountId });
  }

  /** Does what is due now, as one process that is killed at its n-th moment; true: it lived. */
  async work(diesAt = Infinity): Promise<boolean> {
    const mortal = new Mortal(diesAt);
    try {
      await this.#work(mortal.tenancy(this.tenancy), mortal.access(this.access));
      return true;
    } catch (error) {
      if (error instanceof ProcessDied) return false;
      throw error;
    }
  }

  async #work(tenancy: SystemTenancy, access: EntraAccess): Promise<void> {
    const convergence = this.convergence(access);
    await tenancy.asSystem((tx) => new StuckSweep(this.grants, this.accounts).run(tx, this.clock.now()));
    const stop = new AbortController().signal;
    for (const claim of await this.claim(tenancy)) await convergence.converge(tenancy, claim, stop);
  }

  async claim(tenancy: SystemTenancy = this.tenancy): Promise<Claim[]> {
    const now = this.clock.now();
    return tenancy.asSystem((tx) => this.accounts.claim(tx, now, addSeconds(now, leaseSeconds), 32, 4));
  }

  convergence(access: EntraAccess = this.access): ConvergenceService {
    const facts = new AccountFactsCache(this.clock);
    const decisions = new DecisionService(this.accounts, this.grants, this.copies, this.steps, this.clock);
    const outcomes = new OutcomeService(this.accounts, this.grants, this.steps, decisions, this.clock);
    return new ConvergenceService(access, decisions, outcomes, new LookService(), new ChangeService(facts, this.clock), facts, this.clock);
  }

  /** Compares a tenant's accounts with what should be there. */
  async reconcile(tenantId: Id): Promise<void> {
    const sweep = new ReconcileSweep(new ReconcileRepository(), this.accounts, this.access, this.clock);
    await sweep.compare(this.tenancy, { mspId: this.mspId, tenantId, failures: 0 });
  }

  /** Lets so much time pass, doing on the way whatever falls due, as processes that are killed as `deaths` says. */
  async pass(seconds: number, deaths: number[] = []): Promise<void> {
    const end = addSeconds(this.clock.now(), seconds);
    for (;;) {
      const next = await this.#nextDue();
      if (next === null || next > end) break;
      if (next > this.clock.now()) this.clock.set(next);
      await this.work(deaths.shift() ?? Infinity);
      // Due, and kept back by what others are busy with.
      const still = await this.#nextDue();
      if (still !== null && still <= this.clock.now()) this.clock.advance(1);
    }
    if (this.clock.now() < end) this.clock.set(end);
  }

  /** When somebody has to do something next. */
  async #nextDue(): Promise<Date | null> {
    const [row] = await this.rows<{ at: Date | null }>(
      `select min(greatest(due_at, coalesce(lease_until, due_at))) as at from entra_account where due_at is not null`,
    );
    return row?.at ?? null;
  }

  async rows<Row = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.tenancy.asSystem((tx) => tx.query<Row>(sql, values));
  }

  /** What services/jit-policy was told of a grant, in order. */
  async reports(grantId: Id): Promise<Payload<'entra-grant-reported'>[]> {
    return this.rows<{ payload: Payload<'entra-grant-reported'> }>(
      `select payload from outbox where type = 'entra-grant-reported' and payload->>'grantId' = $1 order by id`,
      [grantId],
    ).then((rows) => rows.map(({ payload }) => payload));
  }

  async audits(tenantId: Id): Promise<AuditEvent[]> {
    return this.rows<{ payload: AuditEvent }>(
      `select payload from outbox where type = 'audit-recorded' and payload->>'tenantId' = $1 order by id`,
      [tenantId],
    ).then((rows) => rows.map(({ payload }) => payload));
  }

  /** What is left of Stint in an Entra tenant: roles, enabled accounts, passes; with `all` accounts at rest as well. */
  leftovers(entra: EntraTenant, all = false): string[] {
    const ours = entra.users().filter(({ employeeId }) => employeeId?.startsWith('stint') === true);
    return ours
      .flatMap(({ id, userPrincipalName, accountEnabled }) => [
        ...entra.roleAssignments(id).map(({ roleName }) => `${userPrincipalName} is ${roleName}`),
        ...(accountEnabled === true ? [`${userPrincipalName} is enabled`] : []),
        ...entra.passes(id).map(() => `${userPrincipalName} has a pass`),
        ...(all ? [`${userPrincipalName} is there`] : []),
      ])
      .concat(
        all
          ? entra
              .deletedUsers()
              .flatMap(({ employeeId }) => (employeeId?.startsWith('stint') === true ? ['one is in the recycle bin'] : []))
          : [],
      );
  }

  /** The whole life of accounts at rest. */
  async retention(): Promise<void> {
    await this.pass(31 * daySeconds);
  }

  #next(id: Id): number {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    return version;
  }
}
