import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, MessageType, Payload, Principal } from '@stint/contracts';
import { privateKeyToPem } from '@stint/crypto';
import { loadConfig, type Running } from '@stint/host';
import { connectBroadcast } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import {
  createTestDatabase,
  eventually,
  FakeClock,
  MessageKeys,
  StandIns,
  startTestQueue,
  TestGateway,
  type TestDatabase,
} from '@stint/testing';
import { lapsVaultConfig, startLapsVault } from '../index.ts';

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** A really started service on a real database and queue, spoken to as the gateway does, with stand-ins that send what the other services send. */
export class TestLapsVault {
  readonly clock = new FakeClock(new Date());
  readonly gateway = new TestGateway();
  /** Ids of devices in the order in which they were nudged. */
  readonly nudges: string[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #database: TestDatabase;
  #running: Running | undefined;
  #environment: Record<string, string> = {};
  #others: StandIns | undefined;
  #system: Tenancy | undefined;

  private constructor(database: TestDatabase) {
    this.#database = database;
  }

  static async start(queueUrl?: string): Promise<TestLapsVault> {
    const service = new TestLapsVault(
      await createTestDatabase([
        { schema: 'laps_vault', directory: join(import.meta.dirname, '..', '..', 'migrations') },
        { schema: 'stand_in', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_policy', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_entra', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
      ]),
    );
    await service.#start(queueUrl ?? (await service.#queue()));
    return service;
  }

  /** Starts it on a database that another one has left, with that one's root key. */
  static async startOn(database: TestDatabase, keyProvider: string): Promise<TestLapsVault> {
    const service = new TestLapsVault(database);
    await service.#start(await service.#queue(), keyProvider);
    return service;
  }

  get url(): string {
    return this.#running?.url ?? '';
  }

  async #queue(): Promise<string> {
    const queue = await startTestQueue(this.#database);
    this.#closing.push(() => queue.stop());
    return queue.url;
  }

  async #start(queueUrl: string, keyProvider?: string): Promise<void> {
    const keys = new MessageKeys();
    const folder = mkdtempSync(join(tmpdir(), 'stint-laps-vault-'));
    const keyFile = join(folder, 'messages.pem');
    writeFileSync(keyFile, privateKeyToPem(keys.signing['laps-vault']), { mode: 0o600 });
    writeFileSync(join(folder, 'root.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
    const { appUrl, systemUrl } = this.#database.urls('laps_vault');
    this.#environment = {
      PORT: '0',
      DATABASE_URL: appUrl,
      DATABASE_SYSTEM_URL: systemUrl,
      QUEUE_URL: queueUrl,
      GATEWAY_PUBLIC_KEYS: this.gateway.publicKeyX,
      MESSAGE_SIGNING_KEY_FILE: keyFile,
      MESSAGE_PUBLIC_KEYS: keys.environment,
      KEY_PROVIDER: keyProvider ?? `file:${join(folder, 'root.key')}`,
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
    };
    await this.restart();
    this.#closing.push(() => this.#running?.close() ?? Promise.resolve());
    this.#system = await Tenancy.open({ schema: 'laps_vault', appUrl, systemUrl, poolSize: 2 });
    this.#closing.push(() => this.#system?.close() ?? Promise.resolve());
    const schemas = { tenants: 'stand_in', 'jit-policy': 'stand_in_policy', 'entra-connector': 'stand_in_entra' };
    const others = await StandIns.start({ database: this.#database, queueUrl, keys, schemas });
    this.#closing.push(() => others.close());
    this.#others = others;
    const broadcast = await connectBroadcast(queueUrl, () => undefined);
    this.#closing.push(() => broadcast.close());
    broadcast.subscribe('device-nudge', (id) => this.nudges.push(id));
  }

  /** Ends the service and starts it again, with what `change` says of its configuration. */
  async restart(change: Record<string, string> = {}): Promise<void> {
    const before = this.#running;
    this.#running = undefined;
    await before?.close();
    this.#environment = { ...this.#environment, ...change };
    this.#running = await startLapsVault(loadConfig(lapsVaultConfig, this.#environment), { clock: this.clock });
  }

  /** How the service's roles reach its database. */
  get databaseUrls(): { appUrl: string; systemUrl: string } {
    return this.#database.urls('laps_vault');
  }

  /** `KEY_PROVIDER` as the service has it now. */
  get keyProvider(): string {
    return this.#environment['KEY_PROVIDER'] ?? '';
  }

  /** The other services: what they get and send. */
  get others(): StandIns {
    if (this.#others === undefined) throw new Error('Not started.');
    return this.#others;
  }

  /** Audit events as services/tenants gets them. */
  get audits(): AuditEvent[] {
    return this.others.received('audit-recorded');
  }

  /** Sends messages as the service that they come from does. */
  async tell<Type extends MessageType>(type: Type, ...payloads: Payload<Type>[]): Promise<void> {
    await this.others.tell(type, ...payloads);
  }

  /** Waits until every message that was told has had its effect. */
  async settled(): Promise<void> {
    await this.others.settled();
  }

  /** Waits for an audit event about the subject. */
  async audited(action: AuditEvent['action'], subjectId: string): Promise<AuditEvent> {
    return eventually(() => {
      const event = this.audits.find((one) => one.action === action && one.subjectId === subjectId);
      if (event === undefined)
        throw new Error(`No ${action} about ${subjectId}; there is ${this.audits.map((one) => one.action).join(', ')}.`);
      return event;
    });
  }

  /** Rows of the service's own tables, across tenants. */
  async rows<Row = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<Row[]> {
    if (this.#system === undefined) throw new Error('Not started.');
    return this.#system.asSystem((tx) => tx.query<Row>(sql, values));
  }

  /** SQL as the owner of all databases of the tests, who may do anything. */
  async owner(sql: string): Promise<void> {
    await this.#database.query(sql);
  }

  /** The database as sweeps and consumers see it, for work that the test itself starts. */
  get system(): Tenancy {
    if (this.#system === undefined) throw new Error('Not started.');
    return this.#system;
  }

  async send(principal: Principal, query: string, variables: object = {}): Promise<Answer> {
    const headers = await this.gateway.headers(principal, 'laps-vault');
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    return (await response.json()) as Answer;
  }

  async close(): Promise<void> {
    await (await this.leave()).drop();
  }

  /** Ends everything and leaves the database as it is. */
  async leave(): Promise<TestDatabase> {
    for (const end of this.#closing.splice(0).reverse()) await end();
    return this.#database;
  }
}
