import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, MessageType, Payload, Principal } from '@stint/contracts';
import { privateKeyToPem } from '@stint/crypto';
import { exchangeProblems, GraphEmulator, type GraphEmulatorOptions } from '@stint/graph-emulator';
import { loadConfig, type Running } from '@stint/host';
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
import { entraConnectorConfig, startEntraConnector } from '../index.ts';

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/**
 * A really started service on a real database and queue and the Graph emulator, spoken to as the gateway does, with stand-ins that
 * send what the other services send. When it waits for Microsoft, the clock of all of them moves on instead.
 */
export class TestEntraConnector {
  readonly clock = new FakeClock(new Date());
  readonly gateway = new TestGateway();
  /** How long it has waited before calls of Microsoft, in milliseconds, in order. */
  readonly waits: number[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #database: TestDatabase;
  #running: Running | undefined;
  #environment: Record<string, string> = {};
  #others: StandIns | undefined;
  #system: Tenancy | undefined;
  #graph: GraphEmulator | undefined;

  private constructor(database: TestDatabase) {
    this.#database = database;
  }

  static async start(graph: GraphEmulatorOptions = {}): Promise<TestEntraConnector> {
    const service = new TestEntraConnector(
      await createTestDatabase([
        { schema: 'entra_connector', directory: join(import.meta.dirname, '..', '..', 'migrations') },
        { schema: 'stand_in', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_policy', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_vault', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
      ]),
    );
    await service.#start(graph);
    return service;
  }

  async #start(options: GraphEmulatorOptions): Promise<void> {
    const queue = await startTestQueue(this.#database);
    const queueUrl = queue.url;
    this.#closing.push(() => queue.stop());
    const keys = new MessageKeys();
    const folder = mkdtempSync(join(tmpdir(), 'stint-entra-connector-'));
    const keyFile = join(folder, 'messages.pem');
    writeFileSync(keyFile, privateKeyToPem(keys.signing['entra-connector']), { mode: 0o600 });
    writeFileSync(join(folder, 'root.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
    const graph = (this.#graph = await GraphEmulator.start({ clock: this.clock, ...options }));
    this.#closing.push(() => graph.stop());
    const { appUrl, systemUrl } = this.#database.urls('entra_connector');
    this.#environment = {
      PORT: '0',
      DATABASE_URL: appUrl,
      DATABASE_SYSTEM_URL: systemUrl,
      QUEUE_URL: queueUrl,
      GATEWAY_PUBLIC_KEYS: this.gateway.publicKeyX,
      MESSAGE_SIGNING_KEY_FILE: keyFile,
      MESSAGE_PUBLIC_KEYS: keys.environment,
      KEY_PROVIDER: `file:${join(folder, 'root.key')}`,
      PUBLIC_URL: 'https://stint.example.com',
      GRAPH_EMULATOR_URL: graph.url,
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
    };
    await this.restart();
    this.#closing.push(() => this.#running?.close() ?? Promise.resolve());
    this.#system = await Tenancy.open({ schema: 'entra_connector', appUrl, systemUrl, poolSize: 2 });
    this.#closing.push(() => this.#system?.close() ?? Promise.resolve());
    const schemas = { tenants: 'stand_in', 'jit-policy': 'stand_in_policy', 'laps-vault': 'stand_in_vault' };
    const others = await StandIns.start({ database: this.#database, queueUrl, keys, schemas });
    this.#closing.push(() => others.close());
    this.#others = others;
  }

  /** Ends the service and starts it again, with what `change` says of its configuration. */
  async restart(change: Record<string, string> = {}): Promise<void> {
    await this.#running?.close();
    this.#running = undefined;
    this.#environment = { ...this.#environment, ...change };
    this.#running = await startEntraConnector(loadConfig(entraConnectorConfig, this.#environment), {
      clock: this.clock,
      delay: (ms) => {
        this.waits.push(ms);
        this.clock.advance(ms / 1000);
        return new Promise((resolve) => setImmediate(resolve));
      },
    });
  }

  get url(): string {
    return this.#running?.url ?? '';
  }

  /** `KEY_PROVIDER` as the service has it now. */
  get keyProvider(): string {
    return this.#environment['KEY_PROVIDER'] ?? '';
  }

  /** Microsoft, as far as the service can tell. */
  get graph(): GraphEmulator {
    if (this.#graph === undefined) throw new Error('Not started.');
    return this.#graph;
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
    return this.system.asSystem((tx) => tx.query<Row>(sql, values));
  }

  /** The database as sweeps and consumers see it, for work that the test itself starts. */
  get system(): Tenancy {
    if (this.#system === undefined) throw new Error('Not started.');
    return this.#system;
  }

  async send(principal: Principal, query: string, variables: object = {}): Promise<Answer> {
    const headers = await this.gateway.headers(principal, 'entra-connector');
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    return (await response.json()) as Answer;
  }

  /** Ends everything. What was asked of Microsoft meanwhile must have been as Microsoft describes it. */
  async close(): Promise<void> {
    const problems = this.#graph === undefined ? [] : exchangeProblems(this.#graph);
    for (const end of this.#closing.splice(0).reverse()) await end();
    await this.#database.drop();
    if (problems.length > 0) throw new Error(`Not as Microsoft Graph is described:\n${problems.join('\n')}`);
  }
}
