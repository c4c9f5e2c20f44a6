import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { accessOf, type Actor, type Payload } from '@stint/contracts';
import {
  exchangeProblems,
  GraphEmulator,
  type EntraTenant,
  type EntraUser,
  type GraphEmulatorOptions,
  type UserGiven,
} from '@stint/graph-emulator';
import { newId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { createTestDatabase, FakeClock, type TestDatabase } from '@stint/testing';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { TechnicianGroupRepository } from '../directory/technician-group.repository.ts';
import { ProtectedAccountRepository } from '../graph/protected-account.repository.ts';
import { EntraAccess, type EntraDirectory, type Urgency } from '../graph/directory.port.ts';
import { graphDirectory } from '../graph/graph.directory.ts';
import { GraphTransport } from '../graph/graph.transport.ts';
import { credentialError } from '../graph/token-failure.domain.ts';
import { FoundRepository } from '../user-source/found.repository.ts';
import { PersonRepository } from '../user-source/person.repository.ts';
import { ReadingRepository } from '../user-source/reading.repository.ts';
import { SourceLease } from '../user-source/source-lease.ts';
import { SourceReadingService } from '../user-source/source-reading.service.ts';
import { SourceRepository } from '../user-source/source.repository.ts';
import { SourceRoundService } from '../user-source/source-round.service.ts';
import { SourceTeller } from '../user-source/source-teller.ts';
import type { Reading, UserSource } from '../user-source/source.domain.ts';
import { UserSourceService, type ShownSource } from '../user-source/user-source.service.ts';
import { UserSourceSweep } from '../user-source/user-source.sweep.ts';

type Told = Payload<'source-technician-changed'>;

/** A tenant with a user source, and the Entra tenant that it comes from. */
export interface SourceTenant {
  mspId: Id;
  tenantId: Id;
  administrator: Actor;
  entra: EntraTenant;
  clientId: string;
}

const secret = `secret~${randomUUID()}`;

/** User sources on a real database and the Graph emulator, with nobody who takes steps by themselves: each test says when. */
export class SourceWorld {
  readonly clock = new FakeClock(new Date());
  readonly sources = new SourceRepository();
  readonly #database: TestDatabase;
  readonly tenancy: Tenancy;
  readonly graph: GraphEmulator;
  readonly service: UserSourceService;
  readonly sweep: UserSourceSweep;
  readonly #apps = new Map<Id, { entra: EntraTenant; clientId: string }>();
  readonly #copies = new DirectoryRepository();
  readonly #groups = new TechnicianGroupRepository();
  #requestsSeen = 0;

  private constructor(database: TestDatabase, tenancy: Tenancy, graph: GraphEmulator, clock: FakeClock) {
    this.#database = database;
    this.tenancy = tenancy;
    this.graph = graph;
    this.clock = clock;
    const waitless = (ms: number) => Promise.resolve(clock.advance(ms / 1000));
    const transport = new GraphTransport({ clock, delay: waitless, chance: () => 0.5, timeoutMs: 30_000 });
    const entra = new EmulatedAccess((tenantId, urgency) => this.#directory(transport, tenantId, urgency));
    const [readings, found, people] = [new ReadingRepository(), new FoundRepository(), new PersonRepository()];
    const lease = new SourceLease(this.sources);
    const teller = new SourceTeller(people);
    const directory = new DirectoryService(tenancy, this.#copies, clock);
    this.service = new UserSourceService(tenancy, directory, entra, this.sources, readings, found, people, this.#groups, clock);
    const reading = new SourceReadingService(entra, lease, readings, found, people, teller);
    const log = { warn: () => undefined, error: () => undefined };
    this.sweep = new UserSourceSweep(this.sources, readings, lease, reading, new SourceRoundService(entra, lease, people, teller), log);
  }

  static async start(options: GraphEmulatorOptions = {}): Promise<SourceWorld> {
    const directory = join(import.meta.dirname, '..', '..', 'migrations');
    const database = await createTestDatabase([{ schema: 'entra_connector', directory }]);
    const tenancy = await Tenancy.open({ schema: 'entra_connector', ...database.urls('entra_connector'), poolSize: 4 });
    const clock = new FakeClock(new Date());
    return new SourceWorld(database, tenancy, await GraphEmulator.start({ clock, ...options }), clock);
  }

  /** What was asked of Microsoft meanwhile must have been as Microsoft describes it. */
  async close(): Promise<void> {
    const problems = exchangeProblems(this.graph);
    await this.graph.stop();
    await this.tenancy.close();
    await this.#database.drop();
    if (problems.length > 0) throw new Error(`Not as Microsoft Graph is described:\n${problems.join('\n')}`);
  }

  /** Addresses asked of Graph since the last call of this, without the parts of batches. */
  requests(): string[] {
    const asked = this.graph.exchanges.slice(this.#requestsSeen);
    this.#requestsSeen = this.graph.exchanges.length;
    return asked.filter(({ url, batched }) => url.startsWith('/v1.0') && !batched).map(({ url }) => url);
  }

  /** An MSP with an Entra tenant. */
  async tenant(): Promise<SourceTenant> {
    const id = newId();
    const entra = this.graph.tenant();
    const clientId = this.#register(id, entra);
    const tenant = { mspId: id, tenantId: id, parentId: null, path: [id], name: 'Northwind', version: 1 };
    await this.tenancy.asSystem((tx) => this.#copies.saveTenant(tx, tenant));
    const access = accessOf([{ tenantId: id, role: 'ADMINISTRATOR' }]);
    return {
      mspId: id,
      tenantId: id,
      entra,
      clientId,
      administrator: { kind: 'technician', id: newId(), mspId: id, tenantId: id, access },
    };
  }

  /** Connects the tenant to another Entra tenant: a new one, or this. */
  connect({ tenantId }: SourceTenant, entra: EntraTenant = this.graph.tenant()): EntraTenant {
    this.#register(tenantId, entra);
    return entra;
  }

  disconnect({ tenantId }: SourceTenant): void {
    this.#apps.delete(tenantId);
  }

  #register(tenantId: Id, entra: EntraTenant): string {
    const { clientId } = entra.registerApp({ secrets: [{ value: secret }], permissions: ['User.Read.All', 'GroupMember.Read.All'] });
    this.#apps.set(tenantId, { entra, clientId });
    return clientId;
  }

  /** A technician group of the tenant. */
  async group({ mspId, tenantId }: SourceTenant): Promise<Id> {
    const groupId = newId();
    await this.tenancy.asSystem((tx) => this.#groups.save(tx, { mspId, tenantId, groupId, name: `Group ${groupId}`, version: 1 }));
    return groupId;
  }

  /** Somebody local with this address. */
  async localTechnician({ mspId, tenantId }: SourceTenant, email: string): Promise<void> {
    const technician = { mspId, tenantId, technicianId: newId(), email, displayName: 'Local', active: true, version: 1 };
    await this.tenancy.asSystem((tx) =>
      this.#copies.saveTechnician(tx, { ...technician, assignments: [], groupIds: [], totpEnrolled: false }),
    );
  }

  /** Has the account be one that Stint never touches, as break-glass accounts are. */
  async protect({ mspId, tenantId }: SourceTenant, objectId: string): Promise<void> {
    await this.tenancy.asSystem((tx) => new ProtectedAccountRepository().add(tx, { mspId, tenantId, objectId }, 'A break-glass account.'));
  }

  /** A user of the Entra tenant with a mail address. */
  user({ entra }: SourceTenant, name: string, given: UserGiven = {}): EntraUser {
    return entra.addUser({ displayName: name, mail: `${name.toLowerCase()}@northwind.example`, ...given });
  }

  /** Switches the source on with so many people in one group. */
  async on(tenant: SourceTenant, people: number) {
    const users = Array.from({ length: people }, (_, place) => this.user(tenant, `Person${place}`));
    const { id: groupId } = tenant.entra.addGroup({ displayName: 'Technicians', members: users.map(({ id }) => id) });
    const [technicianGroup] = await this.switchOn(tenant, groupId);
    return { users, groupId, technicianGroup };
  }

  /** Switches the source on with these Entra groups, each into a technician group of its own, as an administrator does. */
  async switchOn(tenant: SourceTenant, ...groupIds: string[]): Promise<Id[]> {
    const technicianGroups: Id[] = [];
    for (const _ of groupIds) technicianGroups.push(await this.group(tenant));
    const groups = groupIds.map((groupId, place) => ({ groupId, technicianGroupId: technicianGroups[place], role: 'TECHNICIAN' }));
    const { id } = await this.preview(tenant, groups);
    await this.service.apply(tenant.administrator, id);
    await this.run();
    return technicianGroups;
  }

  /** Asks for a preview and waits until it is there. */
  async preview({ administrator, tenantId }: SourceTenant, groups: object[]): Promise<Reading> {
    const id = newId();
    await this.service.preview(administrator, { id, tenantId, groups });
    await this.run();
    return (await this.service.reading(administrator, id)) ?? missing();
  }

  /** Takes steps until nothing is due of what is due now; at most so many. Answers how many it took. */
  async run(most = 1000): Promise<number> {
    // Waiting for Microsoft moves the clock on: what becomes due by that is for the next time.
    const now = this.clock.now();
    for (let steps = 0; steps < most; steps += 1) if ((await this.sweep.step(this.tenancy, now)) === 0) return steps;
    return most;
  }

  /** Takes one step after the other until it is so. */
  async steps(isSo: () => Promise<boolean>): Promise<void> {
    for (let step = 0; step < 20; step += 1) {
      if (await isSo()) return;
      await this.run(1);
    }
    throw new Error('It is not so after 20 steps.');
  }

  /** Nothing is due any more of any source, so that the next test has the world for itself. */
  async rest(): Promise<void> {
    await this.tenancy.asSystem((tx) => tx.query('update user_source set due_at = null'));
  }

  /** So many seconds later, with all that is due by then. */
  async later(seconds: number): Promise<void> {
    this.clock.advance(seconds);
    await this.run();
  }

  async shown({ administrator, tenantId }: SourceTenant): Promise<ShownSource> {
    return (await this.service.read(administrator, tenantId)) ?? missing();
  }

  async source({ mspId, tenantId }: SourceTenant): Promise<UserSource> {
    return (await this.tenancy.asSystem((tx) => this.sources.find(tx, mspId, tenantId))) ?? missing();
  }

  /** Payloads that were sent, oldest first. */
  async sent<Type extends 'source-technician-changed' | 'user-source-changed' | 'audit-recorded'>(
    { tenantId }: SourceTenant,
    type: Type,
  ): Promise<Payload<Type>[]> {
    const rows = await this.tenancy.asSystem((tx) =>
      tx.query<{ payload: Payload<Type> }>(`select payload from outbox where type = $1 and payload ->> 'tenantId' = $2 order by id`, [
        ...[type, tenantId],
      ]),
    );
    return rows.map(({ payload }) => payload);
  }

  /** What services/tenants believes of each object by now: the newest of what it was told. */
  async believed(tenant: SourceTenant): Promise<Map<string, Told>> {
    const believed = new Map<string, Told>();
    for (const told of await this.sent(tenant, 'source-technician-changed'))
      if ((believed.get(told.objectId)?.version ?? 0) < told.version) believed.set(told.objectId, told);
    return believed;
  }

  /** Whom services/tenants believes to be there, by object id. */
  async present(tenant: SourceTenant): Promise<string[]> {
    return [...(await this.believed(tenant)).values()]
      .filter(({ present }) => present)
      .map(({ objectId }) => objectId)
      .sort();
  }

  async #directory(transport: GraphTransport, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    const app = this.#apps.get(tenantId);
    if (app === undefined) throw credentialError('NOT_CONNECTED');
    const caller = {
      ...{ key: app.clientId, entraTenantId: app.entra.id, clientId: app.clientId, urgency },
      addresses: { loginUrl: this.graph.loginUrl, graphUrl: this.graph.url },
      prove: () => Promise.resolve({ client_secret: secret }),
    };
    return graphDirectory(transport, caller, this.clock);
  }
}

class EmulatedAccess extends EntraAccess {
  readonly #find: (tenantId: Id, urgency: Urgency) => Promise<EntraDirectory>;

  constructor(find: (tenantId: Id, urgency: Urgency) => Promise<EntraDirectory>) {
    super();
    this.#find = find;
  }

  of(_mspId: Id, tenantId: Id, urgency: Urgency): Promise<EntraDirectory> {
    return this.#find(tenantId, urgency);
  }
}

function missing(): never {
  throw new Error('It is not there.');
}

export const someone = (users: readonly { id: string }[], place = 0): string => users[place]?.id ?? missing();
