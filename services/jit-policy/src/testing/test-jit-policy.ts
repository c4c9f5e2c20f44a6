import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, MessageType, Payload, Principal } from '@stint/contracts';
import { privateKeyToPem } from '@stint/crypto';
import { loadConfig, type Running } from '@stint/host';
import { newId } from '@stint/kernel';
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
  type QueueBackend,
  type TestDatabase,
} from '@stint/testing';
import { jitPolicyConfig, startJitPolicy } from '../index.ts';

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** A really started service on a real database and queue, spoken to as the gateway does, with stand-ins for the other services. */
export class TestJitPolicy {
  readonly clock = new FakeClock(new Date());
  readonly gateway = new TestGateway();
  /** Ids of devices in the order in which they were nudged. */
  readonly nudges: string[] = [];
  /** The same for technicians. */
  readonly technicianNudges: string[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #database: TestDatabase;
  #running: Running | undefined;
  #others: StandIns | undefined;
  #system: Tenancy | undefined;

  private constructor(database: TestDatabase) {
    this.#database = database;
    this.#closing.push(() => database.drop());
  }

  static async start(backend?: QueueBackend): Promise<TestJitPolicy> {
    const service = new TestJitPolicy(
      await createTestDatabase([
        { schema: 'jit_policy', directory: join(import.meta.dirname, '..', '..', 'migrations') },
        { schema: 'stand_in', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_vault', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_entra', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
      ]),
    );
    await service.#start(backend);
    return service;
  }

  get url(): string {
    return this.#running?.url ?? '';
  }

  async #start(backend?: QueueBackend): Promise<void> {
    const queue = await startTestQueue(this.#database, backend);
    const queueUrl = queue.url;
    this.#closing.push(() => queue.stop());
    const keys = new MessageKeys();
    const keyFile = join(mkdtempSync(join(tmpdir(), 'stint-jit-policy-')), 'messages.pem');
    writeFileSync(keyFile, privateKeyToPem(keys.signing['jit-policy']), { mode: 0o600 });
    const { appUrl, systemUrl } = this.#database.urls('jit_policy');
    const config = loadConfig(jitPolicyConfig, {
      PORT: '0',
      DATABASE_URL: appUrl,
      DATABASE_SYSTEM_URL: systemUrl,
      QUEUE_URL: queueUrl,
      GATEWAY_PUBLIC_KEYS: this.gateway.publicKeyX,
      MESSAGE_SIGNING_KEY_FILE: keyFile,
      MESSAGE_PUBLIC_KEYS: keys.environment,
      PUBLIC_URL: 'https://stint.example/',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
    });
    this.#running = await startJitPolicy(config, { clock: this.clock });
    this.#closing.push(() => this.#running?.close() ?? Promise.resolve());
    this.#system = await Tenancy.open({ schema: 'jit_policy', appUrl, systemUrl, poolSize: 2 });
    this.#closing.push(() => this.#system?.close() ?? Promise.resolve());
    const schemas = { tenants: 'stand_in', 'laps-vault': 'stand_in_vault', 'entra-connector': 'stand_in_entra' };
    const others = await StandIns.start({ database: this.#database, queueUrl, keys, schemas });
    this.#closing.push(() => others.close());
    this.#others = others;
    const broadcast = await connectBroadcast(queueUrl, () => undefined);
    this.#closing.push(() => broadcast.close());
    broadcast.subscribe('device-nudge', (id) => this.nudges.push(id));
    broadcast.subscribe('technician-nudge', (id) => this.technicianNudges.push(id));
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

  /** The database as sweeps and consumers see it, for work that the test itself starts. */
  get system(): Tenancy {
    if (this.#system === undefined) throw new Error('Not started.');
    return this.#system;
  }

  async send(principal: Principal, query: string, variables: object = {}): Promise<Answer> {
    const headers = await this.gateway.headers(principal, 'jit-policy');
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    return (await response.json()) as Answer;
  }

  async close(): Promise<void> {
    for (const end of this.#closing.splice(0).reverse()) await end();
  }
}

/** A correlation of test data only: an id whose time is `seconds` before now. */
export function oldId(seconds = 86_400): string {
  const hex = (Date.now() - seconds * 1000).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}${newId().slice(13)}`;
}
