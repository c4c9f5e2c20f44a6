import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { addSeconds, newId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { eventually } from '@stint/testing';
import { joinFirst, only, problem, startTestTenants, technician, type TestTenants, type Thing } from '../test-tenants.support.ts';
import { PushServiceStandIn, type Browser } from './push-service.support.ts';
import { pushHandlers } from './push.sweep.ts';

let service: PushServiceStandIn;
let tenants: TestTenants;
let system: Tenancy;
let mspId: Id;
let ada: Actor;

beforeAll(async () => {
  service = await PushServiceStandIn.start();
  tenants = await startTestTenants({ PUSH_HOSTS: `${service.origin},fcm.googleapis.com` });
  ({ mspId, administrator: ada } = await joinFirst(tenants));
  system = await Tenancy.open({ schema: 'tenants', ...tenants.database.urls('tenants'), poolSize: 2 });
});
beforeEach(() => {
  service.arrived.length = 0;
});
afterEach(async () => {
  for (const { id } of await own()) await remove(String(id));
  expect(service.faults).toEqual([]);
});
afterAll(async () => {
  await system?.close();
  await tenants?.close();
  await service?.close();
});

const save = (input: object, by: Actor = ada): Promise<Thing> =>
  tenants
    .send(
      by,
      `mutation ($input: SavePushSubscriptionInput!) { savePushSubscription(input: $input) { ${problem} ... on InvalidInput { field } ... on PushSubscription { id service createdAt } } }`,
      { input: { id: newId(), ...input } },
    )
    .then(only);
const remove = (id: string, by: Actor = ada): Promise<Thing> =>
  tenants
    .send(by, `mutation ($id: ID!) { removePushSubscription(input: { id: $id }) { ${problem} ... on PushSubscriptionRemoved { id } } }`, {
      id,
    })
    .then(only);
const own = async (by: Actor = ada) =>
  only(await tenants.send(by, '{ viewer { pushSubscriptions { id service } } }'))['pushSubscriptions'] as { id: Id; service: string }[];
const rows = <Row>(sql: string, values: unknown[] = []) => system.asSystem((tx) => tx.query<Row>(sql, values));
/** Tells of a login as services/jit-policy does. */
const prompt = async (lifeSeconds = 120): Promise<Id> => {
  const loginRequestId = newId();
  const expiresAt = addSeconds(tenants.clock.now(), lifeSeconds).toISOString();
  const payload = {
    mspId,
    tenantId: newId(),
    technicianId: ada.id,
    loginRequestId,
    hostName: 'ws-07',
    tenantName: 'Contoso Dental',
    expiresAt,
  };
  await system.asSystem(async (tx) => pushHandlers(tenants.clock)['login-prompted']?.(tx, payload, { id: newId(), from: 'jit-policy' }));
  return loginRequestId;
};
const delivery = async (loginRequestId: Id) =>
  (
    await rows<{ state: string; attempts: number; result: string; due_at: Date }>(
      'select * from push_delivery where login_request_id = $1',
      [loginRequestId],
    )
  )[0];
const settled = (loginRequestId: Id, state: string) =>
  eventually(async () => {
    const found = await delivery(loginRequestId);
    expect(found).toMatchObject({ state });
    return found;
  });

describe('a push message', () => {
  test('reaches the browser encrypted for it, by a sender that proves itself, and tells nothing that approves', async () => {
    const browser = service.browser();
    expect(await save(browser)).toMatchObject({ __typename: 'PushSubscription', service: new URL(service.origin).host });
    const id = await prompt();
    await settled(id, 'SENT');
    const { pushPublicKey } = (await tenants.send(ada, '{ pushPublicKey }')).data as unknown as { pushPublicKey: string };
    const now = Date.now() / 1000;
    expect(service.arrived).toEqual([
      expect.objectContaining({
        endpoint: browser.endpoint,
        payload: { title: 'Log in to ws-07?', body: 'Contoso Dental. Open Stint to answer.', tag: id },
        vapid: {
          publicKey: pushPublicKey,
          claims: { aud: service.origin, sub: 'https://localhost:4000', exp: expect.any(Number) },
        },
      }),
    ]);
    const [{ headers, vapid } = { headers: {}, vapid: { claims: { exp: 0 } } }] = service.arrived;
    expect(headers).toMatchObject({ ttl: '120', urgency: 'high', topic: id.replaceAll('-', ''), 'content-encoding': 'aes128gcm' });
    expect(vapid.claims.exp - now).toBeGreaterThan(0);
    expect(vapid.claims.exp - now).toBeLessThanOrEqual(86_400);
  });

  test('goes to every browser of the technician, once for each message between services', async () => {
    for (const browser of [service.browser(), service.browser()]) await save(browser);
    const id = await prompt();
    await eventually(() => expect(service.arrived).toHaveLength(2));
    expect(new Set(service.arrived.map(({ endpoint }) => endpoint)).size).toBe(2);
    await eventually(async () =>
      expect(await rows(`select 1 from push_delivery where login_request_id = $1 and state = 'SENT'`, [id])).toHaveLength(2),
    );
  });

  test.each([404, 410])('a browser that is gone (%s) is forgotten, with an audit event', async (status) => {
    const saved = await save(service.browser());
    service.next((response) => response.writeHead(status).end());
    await prompt();
    await eventually(async () => expect(await own()).toEqual([]));
    await eventually(async () =>
      expect(
        await rows(`select 1 from audit_event where action = 'push-subscription.removed' and details->>'pushSubscriptionId' = $1`, [
          saved['id'],
        ]),
      ).toHaveLength(1),
    );
  });

  test('is tried again after trouble, and no longer than the login waits', async () => {
    await save(service.browser());
    service.next(
      (response) => response.writeHead(503).end(),
      (response) => response.destroy(),
      (response) => response.writeHead(429, { 'retry-after': '20' }).end(),
    );
    const id = await prompt();
    for (const [attempt, seconds] of [
      [1, 1],
      [2, 2],
      [3, 20],
    ] as const) {
      await eventually(async () => expect(await delivery(id)).toMatchObject({ attempts: attempt, result: expect.any(String) }));
      const due = addSeconds(tenants.clock.now(), seconds);
      await eventually(async () => expect((await delivery(id))?.due_at).toEqual(due));
      tenants.clock.advance(seconds);
    }
    await settled(id, 'SENT');
    service.next((response) => response.writeHead(503, { 'retry-after': '120' }).end());
    await settled(await prompt(), 'FAILED');
  });

  test('is not repeated where the push service refuses it, nor follows where it points', async () => {
    await save(service.browser());
    service.next((response) => response.writeHead(307, { location: `${service.origin}/elsewhere` }).end());
    expect(await settled(await prompt(), 'FAILED')).toMatchObject({ attempts: 1, result: 'status 307' });
    service.next((response) => response.writeHead(403).end());
    expect(await settled(await prompt(), 'FAILED')).toMatchObject({ attempts: 1, result: 'status 403' });
    expect(service.arrived).toHaveLength(2);
  });

  test('whose sender died between sending and recording is sent again under the same topic', async () => {
    await save(service.browser());
    let late: (() => void) | undefined;
    service.next((response) => (late = () => response.writeHead(500).end()));
    const id = await prompt();
    await eventually(() => expect(service.arrived).toHaveLength(1));
    // Its lease runs out without a word.
    tenants.clock.advance(31);
    await settled(id, 'SENT');
    expect(service.arrived.map(({ headers }) => headers['topic'])).toEqual([id, id].map((one) => one.replaceAll('-', '')));
    expect(service.arrived[1]?.headers['ttl']).toBe('89');
    // The first attempt's word comes too late to count.
    late?.();
    expect(await delivery(id)).toMatchObject({ state: 'SENT', attempts: 2 });
  });

  test('is not sent when the login has ended meanwhile, and to nobody who has no browser', async () => {
    await prompt();
    await save(service.browser());
    const id = await prompt(-1);
    const next = await prompt();
    await settled(next, 'SENT');
    expect(await delivery(id)).toMatchObject({ attempts: 0 });
    expect(service.arrived).toHaveLength(1);
  });
});

describe('subscriptions', () => {
  test('are the caller`s own, saved and removed harmlessly again', async () => {
    const [id, browser] = [newId(), service.browser()];
    const saved = await save({ id, ...browser });
    expect(await save({ id, ...browser })).toEqual(saved);
    expect(await own()).toEqual([{ id, service: new URL(service.origin).host }]);
    // The same browser under another id takes the first one's place.
    const other = await save(browser);
    expect((await own()).map((one) => one.id)).toEqual([other['id']]);
    const stranger = technician(mspId);
    expect(await remove(String(other['id']), stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await save({ id: other['id'], ...service.browser() }, stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await own(stranger)).toEqual([]);
    expect(await remove(String(other['id']))).toMatchObject({ __typename: 'PushSubscriptionRemoved', id: other['id'] });
    expect(await remove(String(other['id']))).toMatchObject({ __typename: 'NotFound' });
  });

  test('are at most 10, also when 20 are saved at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => save(service.browser())));
    expect(answers.filter(({ __typename }) => __typename === 'PushSubscription')).toHaveLength(10);
    expect(await own()).toHaveLength(10);
  });

  test.each<[string, Partial<Browser>]>([
    ['endpoint', { endpoint: 'https://evil.example/push' }],
    ['endpoint', { endpoint: 'http://169.254.169.254/latest/meta-data' }],
    ['endpoint', { endpoint: 'http://127.0.0.1:1/push' }],
    ['p256dh', { p256dh: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]).toString('base64url') }],
    ['p256dh', { p256dh: 'AAAA' }],
    ['auth', { auth: 'AAAA' }],
    ['auth', { auth: `${'A'.repeat(21)}!` }],
  ])('with a wrong %s are refused: %j', async (field, change) => {
    expect(await save({ ...service.browser(), ...change })).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await own()).toEqual([]);
  });

  test('are nothing for devices and API clients', async () => {
    const device: Actor = { kind: 'device', id: newId(), mspId, tenantId: mspId };
    expect((await tenants.send(device, '{ pushPublicKey }')).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    expect(await own(device)).toEqual([]);
  });

  test('their addresses and keys are in no answer, message or audit event', async () => {
    const browser = service.browser();
    await save(browser);
    await settled(await prompt(), 'SENT');
    const everything = await rows('select to_jsonb(a) as row from audit_event a union all select to_jsonb(o) from outbox o');
    const text = JSON.stringify([everything, await own()]);
    for (const secret of [new URL(browser.endpoint).pathname, browser.p256dh, browser.auth]) expect(text).not.toContain(secret);
  });
});
