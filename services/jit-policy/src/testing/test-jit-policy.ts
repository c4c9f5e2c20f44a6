import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent, MessageType, Payload, Principal } from '@stint/contracts';
import { generateSigningKey, privateKeyToPem, publicKeyFromX, publicKeyX } from '@stint/crypto';
import { loadConfig, type Running } from '@stint/host';
import { newId, systemClock } from '@stint/kernel';
import { connectBroadcast, emit, Messaging, type Handlers } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import { createTestDatabase, eventually, FakeClock, TestGateway, type TestDatabase } from '@stint/testing';
import { jitPolicyConfig, startJitPolicy } from '../index.ts';

export interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** A really started service on a real database and queue, spoken to as the gateway does, with a stand-in that sends what services/tenants sends. */
export class TestJitPolicy {
  readonly clock = new FakeClock(new Date());
  readonly gateway = new TestGateway();
  /** Audit events as services/tenants gets them. */
  readonly audits: AuditEvent[] = [];
  /** How long audit events are kept, as services/tenants was told, in order. */
  readonly retentions: Payload<'audit-retention-changed'>[] = [];
  /** How break-glass accounts work, as services/laps-vault was told, in order. */
  readonly lapsSettings: Payload<'laps-settings-changed'>[] = [];
  /** Technicians whom services/tenants was told to ask. */
  readonly prompts: Payload<'login-prompted'>[] = [];
  /** Ids of devices in the order in which they were nudged. */
  readonly nudges: string[] = [];
  /** The same for technicians. */
  readonly technicianNudges: string[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #database: TestDatabase;
  #running: Running | undefined;
  #standIn: { tenancy: Tenancy; messaging: Messaging } | undefined;
  #system: Tenancy | undefined;

  private constructor(database: TestDatabase) {
    this.#database = database;
    this.#closing.push(() => database.drop());
  }

  static async start(queueUrl?: string): Promise<TestJitPolicy> {
    const service = new TestJitPolicy(
      await createTestDatabase([
        { schema: 'jit_policy', directory: join(import.meta.dirname, '..', '..', 'migrations') },
        { schema: 'stand_in', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
        { schema: 'stand_in_vault', directory: join(import.meta.dirname, '..', '..', 'test-migrations') },
      ]),
    );
    await service.#start(queueUrl ?? service.#database.queueUrl);
    return service;
  }

  get url(): string {
    return this.#running?.url ?? '';
  }

  async #start(queueUrl: string): Promise<void> {
    const keys = { tenants: generateSigningKey(), 'jit-policy': generateSigningKey(), 'laps-vault': generateSigningKey() };
    const keyFile = join(mkdtempSync(join(tmpdir(), 'stint-jit-policy-')), 'messages.pem');
    writeFileSync(keyFile, privateKeyToPem(keys['jit-policy']), { mode: 0o600 });
    const { appUrl, systemUrl } = this.#database.urls('jit_policy');
    const config = loadConfig(jitPolicyConfig, {
      PORT: '0',
      DATABASE_URL: appUrl,
      DATABASE_SYSTEM_URL: systemUrl,
      QUEUE_URL: queueUrl,
      GATEWAY_PUBLIC_KEYS: this.gateway.publicKeyX,
      MESSAGE_SIGNING_KEY_FILE: keyFile,
      MESSAGE_PUBLIC_KEYS: Object.entries(keys)
        .map(([name, key]) => `${name}=${publicKeyX(key)}`)
        .join(','),
      PUBLIC_URL: 'https://stint.example/',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
    });
    this.#running = await startJitPolicy(config, { clock: this.clock });
    this.#closing.push(() => this.#running?.close() ?? Promise.resolve());
    this.#system = await Tenancy.open({ schema: 'jit_policy', appUrl, systemUrl, poolSize: 2 });
    this.#closing.push(() => this.#system?.close() ?? Promise.resolve());
    const publicKeys = {
      tenants: publicKeyFromX(publicKeyX(keys.tenants)),
      'jit-policy': publicKeyFromX(publicKeyX(keys['jit-policy'])),
      'laps-vault': publicKeyFromX(publicKeyX(keys['laps-vault'])),
    };
    const standIn = async (name: 'tenants' | 'laps-vault', schema: string, handlers: Handlers) => {
      const tenancy = await Tenancy.open({ schema, ...this.#database.urls(schema), poolSize: 4 });
      this.#closing.push(() => tenancy.close());
      const log = { warn: () => undefined, error: () => undefined };
      const line = { queueUrl, signingKey: keys[name], publicKeys, log };
      const messaging = await Messaging.start({ service: name, tenancy, handlers, sweeps: [], clock: systemClock, ...line });
      this.#closing.push(() => messaging.close());
      return { tenancy, messaging };
    };
    this.#standIn = await standIn('tenants', 'stand_in', {
      'audit-recorded': async (_tx, event) => void this.audits.push(event),
      'login-prompted': async (_tx, prompt) => void this.prompts.push(prompt),
      'audit-retention-changed': async (_tx, retention) => void this.retentions.push(retention),
    });
    await standIn('laps-vault', 'stand_in_vault', {
      'tenant-changed': async () => undefined,
      'technician-changed': async () => undefined,
      'device-changed': async () => undefined,
      'laps-settings-changed': async (_tx, settings) => void this.lapsSettings.push(settings),
    });
    const broadcast = await connectBroadcast(queueUrl, () => undefined);
    this.#closing.push(() => broadcast.close());
    broadcast.subscribe('device-nudge', (id) => this.nudges.push(id));
    broadcast.subscribe('technician-nudge', (id) => this.technicianNudges.push(id));
  }

  /** Sends messages as services/tenants does. */
  async tell<Type extends MessageType>(type: Type, ...payloads: Payload<Type>[]): Promise<void> {
    await this.#standIn?.tenancy.asSystem(async (tx) => {
      for (const payload of payloads) await emit(tx, type, payload);
    });
  }

  /** Waits until every message that was told has had its effect. */
  async settled(): Promise<void> {
    await eventually(async () => {
      if ((await this.#standIn?.messaging.drained()) !== true) throw new Error('Messages are on their way.');
    });
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
