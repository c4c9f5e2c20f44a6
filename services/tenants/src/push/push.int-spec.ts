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
  ada = await signedIn(ada);
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

/** The same person in a new sign-in session. */
const signedIn = async (one: Actor, seconds = 3600): Promise<Actor> => {
  const input = {
    ...{ id: newId(), technicianId: one.id, client: 'stint-console', userAgent: 'Firefox', signedInBy: 'PASSKEY', payload: '{}' },
    expiresAt: addSeconds(tenants.clock.now(), seconds).toISOString(),
  };
  const started = await tenants.send(
    { kind: 'gateway' },
    `mutation ($input: StartSessionInput!) { startSession(input: $input) { ${problem} } }`,
    { input },
  );
  expect(only(started).__typename).toBe('SignInSession');
  return { ...one, sessionId: input.id } as Actor;
};
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
const revoke = async (session: Actor) =>
  tenants.send(session, `mutation ($id: ID!) { revokeSession(input: { id: $id }) { ${problem} } }`, {
    id: session.kind === 'technician' ? session.sessionId : null,
  });
const setActive = (id: Id, active: boolean) =>
  tenants.send(ada, `mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { ${problem} } }`, {
    input: { id, active },
  });
/** A technician of the MSP besides Ada. */
const somebody = async (): Promise<Actor> => {
  const input = { id: newId(), tenantId: mspId, email: `${newId()}@example.com`, roles: ['TECHNICIAN'] };
  await tenants.send(ada, `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} } }`, { input });
  return technician(mspId, mspId, 'TECHNICIAN', input.id);
};
const own = async (by: Actor = ada) =>
  only(await tenants.send(by, '{ viewer { pushSubscriptions { id service } } }'))['pushSubscriptions'] as { id: Id; service: string }[];
const rows = <Row>(sql: string, values: unknown[] = []) => system.asSystem((tx) => tx.query<Row>(sql, values));
/** Tells of a login as services/jit-policy does. */
const prompt = async (lifeSeconds = 120, technicianId = ada.id): Promise<Id> => {
  const loginRequestId = newId();
  const expiresAt = addSeconds(tenants.clock.now(), lifeSeconds).toISOString();
  const payload = {
    mspId,
    tenantId: newId(),
    technicianId,
    loginRequestId,
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
        // For everybody's eyes: no name of a customer, computer or person.
        payload: { title: 'Is it you who logs in?', body: 'Open Stint to see where, and to answer.', tag: id },
        vapid: {
          publicKey: pushPublicKey,
          claims: { aud: service.origin, sub: 'mailto:postmaster@localhost', exp: expect.any(Number) },
        },
      }),
    ]);
    const [{ headers, vapid } = { headers: {}, vapid: { claims: {} } }] = service.arrived;
    expect(headers).toMatchObject({ ttl: '120', urgency: 'high', topic: id.replaceAll('-', ''), 'content-encoding': 'aes128gcm' });
    expect(Number(vapid.claims['exp']) - now).toBeGreaterThan(0);
    expect(Number(vapid.claims['exp']) - now).toBeLessThanOrEqual(86_400);
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
    expect(await save({ id: other['id'], ...service.browser() }, stranger)).toMatchObject({ __typename: 'Conflict' });
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

  test.each<[string, (session: Actor) => Promise<unknown>]>([
    ['its sign-in session is revoked', (session) => revoke(session)],
    ['its technician is switched off', (session) => setActive(session.id, false)],
  ])('end when %s, with what was on its way', async (_, end) => {
    const bert = await signedIn(await somebody(), 60);
    expect(await save(service.browser(), bert)).toMatchObject({ __typename: 'PushSubscription' });
    service.next((response) => response.writeHead(503, { 'retry-after': '30' }).end());
    const id = await prompt(120, bert.id);
    await eventually(async () => expect(await delivery(id)).toMatchObject({ result: 'status 503' }));
    await end(bert);
    await eventually(async () => expect(await rows('select 1 from push_subscription where technician_id = $1', [bert.id])).toEqual([]));
    expect(await delivery(id)).toBeUndefined();
    expect(await save(service.browser(), bert)).toMatchObject({ __typename: 'Conflict', message: 'Sign in first.' });
  });

  test('get nothing once their sign-in session has expired', async () => {
    const bert = await signedIn(await somebody(), 60);
    await save(service.browser(), bert);
    tenants.clock.advance(61);
    expect(await delivery(await prompt(120, bert.id))).toBeUndefined();
    expect(await save(service.browser(), bert)).toMatchObject({ __typename: 'Conflict', message: 'Sign in first.' });
  });

  test('go on in the next sign-in session when it saves the browser again', async () => {
    const bert = await somebody();
    const [first, second] = [await signedIn(bert), await signedIn(bert)];
    const browser = { id: newId(), ...service.browser() };
    await save(browser, first);
    await save(browser, second);
    await revoke(first);
    expect(await own(bert)).toHaveLength(1);
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
