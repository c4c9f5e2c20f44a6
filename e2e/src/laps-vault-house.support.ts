import type { HpkeKeyPair } from '@stint/crypto';
import { generateHpkeKeyPair, lapsSealing, openKeyProvider, openSealed } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { keptAs, TestLapsVault, VaultKeyRepository, vaultKeys, VersionRepository, World } from '@stint/laps-vault/testing';
import type { LapsReport, LapsServer, LapsState, Trouble, VaultUnderTest } from '@stint/agent/testing';
import { NetworkError, StintError } from '@stint/sdk';
import { eventually, redisIsInstalled, startTestRedis, type TestRedis } from '@stint/testing';
import { DatabaseCut } from './database-cut.support.ts';

type Tenant = Awaited<ReturnType<World['tenant']>>;
type Actor = Awaited<ReturnType<World['technician']>>;

/** One MSP in the house, in which one order runs at a time. */
interface Lane {
  tenant: Tenant;
  administrator: Actor;
  reader: Actor;
  readers: string;
  computers: Actor[];
}

/** The real laps-vault on a real PostgreSQL and queue, which both can be taken away from it; and computers for many orders. */
export class LapsVaultHouse {
  readonly service: TestLapsVault;
  readonly world: World;
  readonly reader: HpkeKeyPair;
  readonly lanes: Lane[] = [];
  /** The service's way to its database; the tests have one of their own. */
  readonly database: DatabaseCut;
  /** How often it was started anew. */
  restarts = 0;
  readonly #redis: TestRedis | null;
  readonly #keys: ReturnType<typeof vaultKeys>;
  #restarting: Promise<void> | null = null;
  /** How many orders run without a queue now. */
  #withoutQueue = 0;

  private constructor(service: TestLapsVault, database: DatabaseCut, reader: HpkeKeyPair, redis: TestRedis | null) {
    this.service = service;
    this.world = new World(service);
    this.database = database;
    this.reader = reader;
    this.#redis = redis;
    this.#keys = vaultKeys(service.system, openKeyProvider(service.keyProvider));
  }

  static async start(): Promise<LapsVaultHouse> {
    const redis = redisIsInstalled() ? await startTestRedis() : null;
    if (redis === null) process.stderr.write('The queue is never away from the vault: redis-server is not installed.\n');
    const service = await TestLapsVault.start(redis?.url);
    const { appUrl, systemUrl } = service.databaseUrls;
    const database = await DatabaseCut.start(appUrl);
    await service.restart({ DATABASE_URL: database.through(appUrl), DATABASE_SYSTEM_URL: database.through(systemUrl) });
    return new LapsVaultHouse(service, database, await generateHpkeKeyPair(), redis);
  }

  /** Makes MSPs and their computers, before anything befalls the vault. */
  async furnish(lanes: number, computers: number): Promise<void> {
    const { world } = this;
    for (let lane = 0; lane < lanes; lane++) {
      const tenant = await world.tenant(null);
      const readers = newId();
      const [administrator, reader] = await Promise.all([
        world.technician(tenant, 'ADMINISTRATOR'),
        world.technician(tenant, 'TECHNICIAN', { groupIds: [readers] }),
      ]);
      await world.settings(tenant, { localEnabled: true, readerGroups: [readers] });
      const devices = await Promise.all(Array.from({ length: computers }, () => world.device(tenant)));
      this.lanes.push({ tenant, administrator, reader, readers, computers: devices.map((device) => world.actorOf(device)) });
    }
    await this.service.settled();
  }

  /** The account of a computer that nobody has used yet. */
  async account(lane: number): Promise<RealVault> {
    const at = this.lanes[lane];
    const device = at?.computers.pop();
    if (at === undefined || device === undefined) throw new Error('No computer is left: furnish the house with more.');
    const [row] = await this.service.rows<{ id: string }>('select id from laps_account where device_id = $1', [device.id]);
    return new RealVault(this, at, device, row?.id ?? '');
  }

  async suffer(trouble: Trouble, work: () => Promise<boolean>): Promise<boolean> {
    switch (trouble.is) {
      case 'CUT':
        this.database.at(trouble.step, trouble.done);
        return work();
      case 'RESTARTED':
        // Several who ask at once get one. The computers go on meanwhile, and hear nothing.
        this.#restarting ??= this.#restart();
        return work();
      case 'QUEUE_EMPTIED':
        if (this.#withoutQueue === 0) await this.#redis?.flush();
        return work();
      case 'QUEUE_AWAY':
        return this.#restarting === null ? this.#whileFrozen(work) : work();
    }
  }

  async calm(): Promise<void> {
    await this.#restarting;
  }

  /** What it keeps of an account, opened by its own keys. */
  async kept(mspId: string, accountId: string): Promise<{ id: string; state: string; fence: number; password: string }[]> {
    const { versions, keys } = await this.service.system.asSystem(async (tx) => {
      const found = await new VersionRepository().ofAccount(tx, mspId, accountId);
      const ids = [...new Set(found.map(({ vaultKeyId }) => vaultKeyId))];
      const repository = new VaultKeyRepository();
      return {
        versions: found,
        keys: new Map(await Promise.all(ids.map(async (id) => [id, await repository.find(tx, mspId, id)] as const))),
      };
    });
    return Promise.all(
      versions.map(async (version) => {
        const key = keys.get(version.vaultKeyId);
        if (key == null) throw new Error(`No key ${version.vaultKeyId}.`);
        const { id, state, fence } = version;
        return { id, state, fence, password: (await this.#keys.open(key, keptAs(version))).toString() };
      }),
    );
  }

  async close(): Promise<void> {
    await this.calm();
    this.#keys.onApplicationShutdown();
    await this.service.close();
    await this.database.stop();
    await this.#redis?.stop();
  }

  async #whileFrozen(work: () => Promise<boolean>): Promise<boolean> {
    this.#withoutQueue++;
    this.#redis?.freeze();
    try {
      return await work();
    } finally {
      if (--this.#withoutQueue === 0) this.#redis?.thaw();
    }
  }

  async #restart(): Promise<void> {
    try {
      // It ends in order, which takes a queue that answers.
      await patiently(async () => {
        if (this.#withoutQueue > 0) throw new Error('The queue is away.');
      });
      // A start that is cut off from the database fails, and is tried again: so does whatever runs the service.
      await patiently(() => this.service.restart());
      this.restarts++;
    } finally {
      this.#restarting = null;
    }
  }
}

const desired = 'id kind name enabled rotate fence currentVersionId takeOver policy { style length words unambiguous symbols }';
const stateQuery = `query ($id: ID!, $known: Int) { _entities(representations: [{ __typename: "Device", id: $id }]) { ... on Device {
  lapsState(knownRevision: $known) { revision vaultKey { id publicKey } accounts { ${desired} } } } } }`;
const revealed = '... on RevealedLapsPassword { candidates { versionId enc ciphertext } }';

/** One account in the real vault: through its door, as the gateway's signature lets devices and people in. */
export class RealVault implements VaultUnderTest {
  readonly server: LapsServer;
  readonly accountId: string;
  readonly #house: LapsVaultHouse;
  readonly #lane: Lane;
  readonly #device: Actor;
  #length = 24;
  #isLocked = false;

  constructor(house: LapsVaultHouse, lane: Lane, device: Actor, accountId: string) {
    this.#house = house;
    this.#lane = lane;
    this.#device = device;
    this.accountId = accountId;
    this.server = {
      state: (knownRevision) => this.#state(knownRevision),
      escrow: async ({ sealed, ...change }) =>
        (await this.#call('escrowLapsPassword', { ...change, ...sealed })) === 'LapsEscrowed' ? 'TAKEN' : 'STALE',
      confirm: async (account, versionId) =>
        (await this.#call('confirmLapsPassword', { accountId: account, versionId })) === 'LapsConfirmed' ? 'CONFIRMED' : 'STALE',
      report: async (report: LapsReport) => void (await this.#call('reportLapsAccount', report)),
    };
  }

  async askForChange(): Promise<void> {
    // Not twice within a minute.
    this.#house.service.clock.advance(61);
    await patiently(() => this.#house.world.mutate(this.#lane.administrator, 'rotateLapsPassword', '', { accountId: this.accountId }));
  }

  changePolicy(): Promise<void> {
    this.#length++;
    return this.#settings();
  }

  lockOrUnlock(): Promise<void> {
    this.#isLocked = !this.#isLocked;
    return this.#settings();
  }

  suffer(trouble: Trouble, work: () => Promise<boolean>): Promise<boolean> {
    return this.#house.suffer(trouble, work);
  }

  calm(): Promise<void> {
    return this.#house.calm();
  }

  async kept(): Promise<{ password: string; isFormer: boolean }[]> {
    const kept = await this.#house.kept(this.#lane.tenant.mspId, this.accountId);
    return kept.map(({ password, state }) => ({ password, isFormer: state === 'FORMER' }));
  }

  async revealed(): Promise<string[]> {
    const { service, world, reader } = this.#house;
    // Ten a minute are shown to one person.
    service.clock.advance(61);
    const input = { id: newId(), accountId: this.accountId, reason: 'Network down', recipientKey: reader.publicKey };
    const answer = await patiently(() => world.mutate(this.#lane.reader, 'revealLapsPassword', revealed, input));
    if (answer.__typename !== 'RevealedLapsPassword') throw new Error(JSON.stringify(answer));
    const candidates = answer['candidates'] as { versionId: string; enc: string; ciphertext: string }[];
    const { info, aad } = lapsSealing.reveal;
    return Promise.all(
      candidates.map(async ({ versionId, ...sealed }) =>
        (await openSealed({ privateKey: reader.privateKey, info, aad: aad(this.accountId, versionId) }, sealed)).toString(),
      ),
    );
  }

  /** Not waited for: it reaches the vault when its queue lets it. */
  #settings(): Promise<void> {
    const settings = { localEnabled: true, readerGroups: [this.#lane.readers], localActive: !this.#isLocked, passwordLength: this.#length };
    return this.#house.world.settings(this.#lane.tenant, settings);
  }

  async #state(knownRevision: number | null): Promise<LapsState> {
    const { id, tenantId } = this.#device;
    const { data, errors } = await reached(() => this.#house.service.send(this.#device, stateQuery, { id, known: knownRevision }));
    const [error] = errors ?? [];
    if (error !== undefined) throw new StintError(error.extensions.code, error.message);
    const [entity] = data?.['_entities'] as { lapsState: Omit<LapsState, 'tenantId'> }[];
    if (entity === undefined) throw new NetworkError('The vault had no answer.');
    return { ...entity.lapsState, tenantId };
  }

  /** The name of the answer. */
  async #call(name: string, input: object): Promise<string> {
    return (await reached(() => this.#house.world.mutate(this.#device, name, '', input))).__typename;
  }
}

/** What an agent makes of a vault that has an error, or no answer. */
async function reached<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') throw new StintError(error.code, error.message);
    throw new NetworkError('The vault cannot be reached.', { cause: error });
  }
}

/** What a person does when something does not answer. */
const patiently = <T>(call: () => Promise<T>) => eventually(call, { timeoutMs: 120_000 });
