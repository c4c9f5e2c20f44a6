import type { KeyObject } from 'node:crypto';
import { messages, messagesTo, serviceNames, type MessageType, type Payload, type ServiceName } from '@stint/contracts';
import { generateSigningKey, publicKeyFromX, publicKeyX } from '@stint/crypto';
import { systemClock } from '@stint/kernel';
import { emit, Messaging, type Handlers, type PublicKeys } from '@stint/messaging';
import { Tenancy } from '@stint/tenancy';
import type { TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';

/** The keys by which the services of one test know each other's messages. */
export class MessageKeys {
  readonly signing = forEach(generateSigningKey);

  get publicKeys(): PublicKeys {
    return forEach((name) => publicKeyFromX(publicKeyX(this.signing[name])));
  }

  /** `MESSAGE_PUBLIC_KEYS` of a service's environment. */
  get environment(): string {
    return serviceNames.map((name) => `${name}=${publicKeyX(this.signing[name])}`).join(',');
  }
}

function forEach<Value extends KeyObject>(make: (name: ServiceName) => Value): Record<ServiceName, Value> {
  return Object.fromEntries(serviceNames.map((name) => [name, make(name)])) as Record<ServiceName, Value>;
}

/** The other services, as far as one under test can tell: they send what its tests want, and keep what it sends. */
export class StandIns {
  readonly #received: { by: ServiceName; type: MessageType; payload: unknown }[] = [];
  readonly #running = new Map<ServiceName, { tenancy: Tenancy; messaging: Messaging }>();

  /** `schemas` names for each a schema of its own in `database`, with nothing but the messaging tables in it. */
  static async start(options: {
    database: TestDatabase;
    queueUrl: string;
    keys: MessageKeys;
    schemas: Partial<Record<ServiceName, string>>;
  }): Promise<StandIns> {
    const standIns = new StandIns();
    for (const [name, schema] of Object.entries(options.schemas) as [ServiceName, string][]) {
      const tenancy = await Tenancy.open({ schema, ...options.database.urls(schema), poolSize: 4 });
      const keep = (type: MessageType) => async (_tx: unknown, payload: unknown) =>
        void standIns.#received.push({ by: name, type, payload });
      const messaging = await Messaging.start({
        ...{ service: name, tenancy, queueUrl: options.queueUrl, signingKey: options.keys.signing[name] },
        ...{ publicKeys: options.keys.publicKeys, sweeps: [], clock: systemClock },
        handlers: Object.fromEntries(messagesTo(name).map((type) => [type, keep(type)])) as Handlers,
        log: { warn: () => undefined, error: () => undefined },
      });
      standIns.#running.set(name, { tenancy, messaging });
    }
    return standIns;
  }

  /** What came of one type, in order: to all of them, or to one. */
  received<Type extends MessageType>(type: Type, by?: ServiceName): Payload<Type>[] {
    return this.#received
      .filter((one) => one.type === type && (by === undefined || one.by === by))
      .map(({ payload }) => payload as Payload<Type>);
  }

  /** Sends messages as the service that they come from does. */
  async tell<Type extends MessageType>(type: Type, ...payloads: Payload<Type>[]): Promise<void> {
    const from = messages[type].from.map((name) => this.#running.get(name)).find((service) => service !== undefined);
    if (from === undefined) throw new Error(`No stand-in sends ${type}.`);
    await from.tenancy.asSystem(async (tx) => {
      for (const payload of payloads) await emit(tx, type, payload);
    });
  }

  /** Waits until every message that was told has had its effect. */
  async settled(): Promise<void> {
    await eventually(async () => {
      for (const { messaging } of this.#running.values()) if (!(await messaging.drained())) throw new Error('Messages are on their way.');
    });
  }

  async close(): Promise<void> {
    for (const { messaging, tenancy } of this.#running.values()) {
      await messaging.close();
      await tenancy.close();
    }
  }
}
