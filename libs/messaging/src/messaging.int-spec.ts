import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { messagesTo, type Payload, type ServiceName } from '@stint/contracts';
import { newId, systemClock, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import {
  createTestDatabase,
  eventually,
  MessageKeys,
  redisIsInstalled,
  startTestRedis,
  type TestDatabase,
  type TestRedis,
} from '@stint/testing';
import { signEnvelope } from './envelope.ts';
import { audit, connectBroadcast, emit, Messaging, prepareQueue, type Handlers, type Sweep } from './index.ts';

const messageKeys = new MessageKeys();
const keys = messageKeys.signing;
const { publicKeys } = messageKeys;

const hasRedis = redisIsInstalled();
if (!hasRedis) process.stderr.write('SKIPPED: messaging on Redis, because redis-server is not installed.\n');

let database: TestDatabase;
let redis: TestRedis | undefined;
let producer: Tenancy; // tenants
let consumer: Tenancy; // jit-policy
let bystander: Tenancy; // entra-connector, which gets technician groups as well
const open: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  const directory = join(import.meta.dirname, '..', 'test-migrations');
  database = await createTestDatabase([
    { schema: 'sender', directory },
    { schema: 'receiver', directory },
    { schema: 'bystander', directory },
  ]);
  producer = await Tenancy.open({ schema: 'sender', ...database.urls('sender') });
  consumer = await Tenancy.open({ schema: 'receiver', ...database.urls('receiver') });
  bystander = await Tenancy.open({ schema: 'bystander', ...database.urls('bystander') });
  if (hasRedis) redis = await startTestRedis();
});
afterAll(async () => {
  await producer.close();
  await consumer.close();
  await bystander.close();
  await redis?.stop();
  await database.drop();
});
afterEach(async () => {
  for (const part of open.splice(0)) await part.close();
  await producer.asSystem((tx) => tx.query('delete from outbox'));
  await consumer.asSystem((tx) => tx.query('delete from seen'));
});

const logged: string[] = [];
const log = { warn: (_: object, message: string) => logged.push(message), error: (_: object, message: string) => logged.push(message) };

function groupChanged(name: string): Payload<'group-changed'> {
  const id = newId();
  return { mspId: id, tenantId: id, groupId: newId(), name, version: 1 };
}
const send = (name: string) => producer.asSystem((tx) => emit(tx, 'group-changed', groupChanged(name)));
const seen = () =>
  consumer.asSystem(async (tx) => (await tx.query<{ name: string }>('select name from seen order by name')).map((row) => row.name));

/** Handlers for everything that is routed to the service, which do nothing. */
const idle = (service: ServiceName): Handlers => Object.fromEntries(messagesTo(service).map((type) => [type, () => Promise.resolve()]));
/** jit-policy's handlers: note what came. */
const receiving = (on: (name: string) => void = () => undefined): Handlers => ({
  ...idle('jit-policy'),
  'group-changed': async (tx, payload) => {
    on(payload.name);
    await tx.query('insert into seen (name) values ($1)', [payload.name]);
  },
});

async function start(
  service: ServiceName,
  tenancy: Tenancy,
  queueUrl: string,
  handlers: Handlers,
  sweeps: Sweep[] = [],
): Promise<Messaging> {
  const messaging = await Messaging.start({
    ...{ service, tenancy, queueUrl, handlers, sweeps, log },
    signingKey: keys[service],
    publicKeys,
    clock: systemClock,
  });
  open.push(messaging);
  return messaging;
}
const startProducer = (queueUrl: string, sweeps: Sweep[] = []) => start('tenants', producer, queueUrl, idle('tenants'), sweeps);
/** jit-policy, and whoever else has to get a message before it leaves the outbox. */
async function startConsumer(queueUrl: string, handlers = receiving()): Promise<void> {
  await start('entra-connector', bystander, queueUrl, idle('entra-connector'));
  await start('jit-policy', consumer, queueUrl, handlers);
}

describe.each(['postgres', ...(hasRedis ? ['redis'] : [])])('on %s', (backend) => {
  const queueUrl = () => (backend === 'redis' ? (redis?.url ?? '') : database.queueUrl);

  test('a committed message has its effect once and leaves the outbox', async () => {
    const messaging = await startProducer(queueUrl());
    await startConsumer(queueUrl());
    await send('one');
    await eventually(async () => expect(await messaging.drained()).toBe(true));
    expect(await seen()).toEqual(['one']);
  });

  test('a rolled-back message never leaves', async () => {
    await startProducer(queueUrl());
    await startConsumer(queueUrl());
    const failed = producer.asSystem(async (tx) => {
      await emit(tx, 'group-changed', groupChanged('ghost'));
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await send('after');
    await eventually(async () => expect(await seen()).toEqual(['after']));
  });

  test('messages written while nothing ran are sent at the start', async () => {
    await send('early');
    await startProducer(queueUrl());
    await startConsumer(queueUrl());
    await eventually(async () => expect(await seen()).toEqual(['early']));
  });

  test('a message that is published again and again has its effect once', async () => {
    const messaging = await startProducer(queueUrl());
    for (const name of ['a', 'b', 'c']) await send(name);
    for (let round = 0; round < 5; round += 1) {
      await producer.asSystem((tx) => tx.query('update outbox set due_at = now()'));
      await send(`round ${round}`);
    }
    await startConsumer(queueUrl());
    await eventually(async () => expect(await messaging.drained()).toBe(true));
    expect(await seen()).toEqual(['a', 'b', 'c', 'round 0', 'round 1', 'round 2', 'round 3', 'round 4']);
  });

  test('a handler that fails holds up nothing else, and its message comes again', async () => {
    let broken = true;
    const messaging = await startProducer(queueUrl());
    await startConsumer(
      queueUrl(),
      receiving((name) => {
        if (name === 'poison' && broken) throw new Error('not yet');
      }),
    );
    await send('poison');
    for (const name of ['x', 'y', 'z']) await send(name);
    await eventually(async () => expect(await seen()).toEqual(['x', 'y', 'z']));
    expect(await messaging.drained()).toBe(false);
    broken = false;
    await eventually(async () => expect(await seen()).toEqual(['poison', 'x', 'y', 'z']));
  });

  test.each([
    [
      'another service’s key',
      (id: Id) =>
        signEnvelope(keys['jit-policy'], {
          id,
          type: 'group-changed',
          version: 1,
          from: 'tenants',
          to: 'jit-policy',
          payload: groupChanged('forged'),
        }),
    ],
    [
      'a changed payload',
      (id: Id) => ({
        ...signEnvelope(keys.tenants, {
          id,
          type: 'group-changed',
          version: 1,
          from: 'tenants',
          to: 'jit-policy',
          payload: groupChanged('x'),
        }),
        payload: groupChanged('forged'),
      }),
    ],
    [
      'a type that its producer does not send',
      (id: Id) =>
        signEnvelope(keys['jit-policy'], {
          id,
          type: 'group-changed',
          version: 1,
          from: 'jit-policy',
          to: 'jit-policy',
          payload: groupChanged('forged'),
        }),
    ],
    ['no envelope at all', (id: Id) => ({ id, type: 'group-changed', payload: groupChanged('forged') })],
  ])('whoever can write to the queue cannot forge a message: %s', async (_, forge) => {
    await startProducer(queueUrl());
    await startConsumer(queueUrl());
    const forger = await openQueue(backend, queueUrl(), 'stint-jit-policy');
    logged.length = 0;
    await forger.add('message', forge(newId()), { removeOnFail: true });
    await forger.add('acknowledgement', { ids: [newId()], from: 'tenants', to: 'jit-policy', signature: 'forged' }, { removeOnFail: true });
    await eventually(() => expect(logged.filter((line) => line.includes('refused'))).toHaveLength(2));
    expect(await seen()).toEqual([]);
  });

  test('a broadcast reaches those who listen now', async () => {
    const [one, two] = [await connectBroadcast(queueUrl(), () => undefined), await connectBroadcast(queueUrl(), () => undefined)];
    open.push(one, two);
    const heard: string[] = [];
    const end = two.subscribe('device-nudge', (body) => heard.push(body));
    one.publish('device-nudge', 'first');
    await eventually(() => expect(heard).toEqual(['first']));
    end();
    two.subscribe('device-nudge', () => heard.push('other'));
    one.publish('device-nudge', 'second');
    await eventually(() => expect(heard).toEqual(['first', 'other']));
  });
});

(hasRedis ? test : test.skip)('nothing is lost when Redis loses everything between publication and consumption', async () => {
  const url = redis?.url ?? '';
  const messaging = await startProducer(url);
  for (const name of ['a', 'b', 'c']) await send(name);
  const direct = new Redis(url);
  await eventually(async () => expect(await direct.keys('bull:stint-jit-policy:*')).not.toEqual([]));
  await direct.flushall();
  direct.disconnect();
  await startConsumer(url);
  // What the relay does by itself 30 seconds later.
  await producer.asSystem((tx) => tx.query('update outbox set due_at = now()'));
  await eventually(async () => expect(await messaging.drained()).toBe(true));
  expect(await seen()).toEqual(['a', 'b', 'c']);
});

test('on PostgreSQL the queue is made by whoever starts first, and several may at once', async () => {
  await database.query('drop schema queue cascade');
  await Promise.all([1, 2, 3, 4].map(() => prepareQueue(database.queueUrl)));
  const messaging = await startProducer(database.queueUrl);
  await startConsumer(database.queueUrl);
  await send('one');
  await eventually(async () => expect(await messaging.drained()).toBe(true));
  expect(await seen()).toEqual(['one']);
});

test('on PostgreSQL a start that gets no connection for its queues fails, instead of going on without them', async () => {
  await database.query(`create role one_connection login password 'test' connection limit 1 in role postgres`);
  const url = new URL(database.queueUrl);
  url.username = 'one_connection';
  url.password = 'test';
  await expect(startConsumer(url.href)).rejects.toThrow('too many connections');
  await database.query('drop role one_connection');
});

test('an audit event names who did it, from the scope', async () => {
  const mspId = newId();
  await producer.asSystem((tx) =>
    audit(tx, { action: 'tenant.created', subjectId: mspId, occurredAt: new Date(0), mspId, tenantId: mspId, details: { name: 'x' } }),
  );
  const [row] = await producer.asSystem((tx) =>
    tx.query<{ type: string; target: string; payload: object }>('select type, target, payload from outbox'),
  );
  expect(row).toMatchObject({
    type: 'audit-recorded',
    target: 'tenants',
    payload: { actorKind: 'system', actorId: null, occurredAt: '1970-01-01T00:00:00.000Z', details: { name: 'x' } },
  });
});

test.each<[string, Handlers, string]>([
  ['a routed message without a handler', { 'group-changed': () => Promise.resolve() }, 'has no handler'],
  ['a handler for a message that is not routed here', { ...receiving(), 'audit-recorded': () => Promise.resolve() }, 'do not route'],
])('%s stops the start', async (_, handlers, message) => {
  await expect(startConsumer(database.queueUrl, handlers)).rejects.toThrow(message);
});

test('closing waits for a sweep under way, but not for its next turn', async () => {
  const steps: string[] = [];
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  const sweep: Sweep = {
    name: 'slow',
    everyMs: 3_600_000,
    async run() {
      steps.push('begun');
      await held;
      steps.push('done');
      return 0;
    },
  };
  const messaging = await startProducer(database.queueUrl, [sweep]);
  await eventually(() => expect(steps).toEqual(['begun']));
  const closing = messaging.close();
  go();
  await closing;
  expect(steps).toEqual(['begun', 'done']);
});

test('a payload that is too large, or not what the contract says, is refused before it is written', async () => {
  const large = { ...groupChanged('x'), name: 'x'.repeat(5000) };
  await expect(producer.asSystem((tx) => emit(tx, 'group-changed', large))).rejects.toThrow('larger than');
  await expect(producer.asSystem((tx) => emit(tx, 'group-changed', { ...large, name: 7 as never }))).rejects.toThrow();
});

async function openQueue(backend: string, url: string, name: string): Promise<Queue> {
  const { createPostgresBackend } = await import('bullmq');
  const queue =
    backend === 'redis'
      ? new Queue(name, { connection: { url } })
      : (new Queue(name, { connection: { connectionString: url, schema: 'queue' } }, createPostgresBackend) as unknown as Queue);
  open.push(queue);
  return queue;
}
