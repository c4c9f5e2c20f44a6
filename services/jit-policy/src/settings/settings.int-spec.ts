import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Actor, Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { codeOf, only, technicianActor, World, type Technician, type Thing } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let branch: Payload<'tenant-changed'>;
let admin: Technician;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
});
beforeEach(async () => {
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  branch = await world.tenant(customer, 'Branch');
  admin = await world.technician(msp, 'ADMINISTRATOR');
  await service.settled();
});
afterAll(() => service.close());

const one = 'value source setOn { id }';
const all = `jitSettings { totpLogin { ${one} } passwordLength { ${one} } accountNamePrefix { ${one} } sessionSeconds { ${one} } accountRestDays { ${one} } }`;
const change = (by: Actor, tenantId: Id, patch: object): Promise<Thing> =>
  world.mutate(by, 'updateJitSettings', `... on Tenant { __typename id ${all} }`, { tenantId, ...patch });
const ask = (by: Actor, ids: Id[]) =>
  service.send(by, `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Tenant { id ${all} } } }`, {
    refs: ids.map((id) => ({ __typename: 'Tenant', id })),
  });
const read = async (by: Actor, id: Id) =>
  (only(await ask(by, [id])) as unknown as Thing[])[0]?.['jitSettings'] as Record<
    string,
    { value: unknown; source: string; setOn: { id: Id } | null }
  >;

describe('inheritance', () => {
  test('each value singly, with where it comes from, all the way down', async () => {
    expect(await read(admin.actor, branch.tenantId)).toEqual({
      totpLogin: { value: false, source: 'DEFAULT', setOn: null },
      passwordLength: { value: 24, source: 'DEFAULT', setOn: null },
      accountNamePrefix: { value: 'jit-', source: 'DEFAULT', setOn: null },
      sessionSeconds: { value: 3600, source: 'DEFAULT', setOn: null },
      accountRestDays: { value: 30, source: 'DEFAULT', setOn: null },
    });
    await change(admin.actor, msp.tenantId, { totpLogin: true, sessionSeconds: 900, passwordLength: 32 });
    await change(admin.actor, customer.tenantId, { sessionSeconds: 800, accountNamePrefix: 'x_' });
    const answer = await change(admin.actor, branch.tenantId, { passwordLength: 16 });
    expect(answer).toMatchObject({
      id: branch.tenantId,
      jitSettings: {
        totpLogin: { value: true, source: 'INHERITED', setOn: { id: msp.tenantId } },
        passwordLength: { value: 16, source: 'OWN', setOn: { id: branch.tenantId } },
        accountNamePrefix: { value: 'x_', source: 'INHERITED', setOn: { id: customer.tenantId } },
        sessionSeconds: { value: 800, source: 'INHERITED', setOn: { id: customer.tenantId } },
        accountRestDays: { value: 30, source: 'DEFAULT', setOn: null },
      },
    });
    // Null goes back to the inherited value; a field that is left out stays.
    await change(admin.actor, customer.tenantId, { sessionSeconds: null });
    expect(await read(admin.actor, branch.tenantId)).toMatchObject({
      sessionSeconds: { value: 900, source: 'INHERITED', setOn: { id: msp.tenantId } },
      accountNamePrefix: { value: 'x_' },
    });
    expect(await read(admin.actor, msp.tenantId)).toMatchObject({ sessionSeconds: { value: 900, source: 'OWN' } });
  });

  test('one who reaches only the branch sees what is inherited from tenants that they do not reach', async () => {
    await change(admin.actor, msp.tenantId, { sessionSeconds: 900 });
    const local = technicianActor(branch, 'ADMINISTRATOR');
    expect(await read(local, branch.tenantId)).toMatchObject({ sessionSeconds: { value: 900, source: 'INHERITED', setOn: null } });
    expect(await change(local, branch.tenantId, { passwordLength: 40 })).toMatchObject({
      jitSettings: { sessionSeconds: { value: 900 }, passwordLength: { value: 40, source: 'OWN' } },
    });
    for (const above of [msp, customer])
      expect(await change(local, above.tenantId, { passwordLength: 40 })).toMatchObject({ __typename: 'NotFound' });
    expect(await ask(local, [customer.tenantId])).toMatchObject({
      data: { _entities: [{ jitSettings: null }] },
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  });

  test('a login and its account take the effective values', async () => {
    await change(admin.actor, msp.tenantId, { sessionSeconds: 600, accountNamePrefix: 'adm-', passwordLength: 40 });
    const computer = await world.computer(branch);
    await service.settled();
    await world.granted(admin, computer);
    expect((await world.desired(computer)).accounts).toMatchObject([
      { name: 'adm-annaberg', passwordLength: 40, grants: [{ sessionSeconds: 600 }] },
    ]);
  });

  test('many at once are one read', async () => {
    const answer = await ask(admin.actor, [msp.tenantId, customer.tenantId, branch.tenantId, customer.tenantId]);
    expect((only(answer) as unknown as Thing[]).map((tenant) => tenant['id'])).toEqual([
      msp.tenantId,
      customer.tenantId,
      branch.tenantId,
      customer.tenantId,
    ]);
  });
});

describe('a change', () => {
  test.each<[string, object, string]>([
    ['passwordLength 11', { passwordLength: 11 }, 'passwordLength'],
    ['passwordLength 128', { passwordLength: 128 }, 'passwordLength'],
    ['a negative length', { passwordLength: -24 }, 'passwordLength'],
    ['sessionSeconds 59', { sessionSeconds: 59 }, 'sessionSeconds'],
    ['sessionSeconds 28,801', { sessionSeconds: 28_801 }, 'sessionSeconds'],
    ['accountRestDays 0', { accountRestDays: 0 }, 'accountRestDays'],
    ['accountRestDays 366', { accountRestDays: 366 }, 'accountRestDays'],
    ['no prefix', { accountNamePrefix: '' }, 'accountNamePrefix'],
    ['a long prefix', { accountNamePrefix: 'abcdefghijk' }, 'accountNamePrefix'],
    ['an upper-case prefix', { accountNamePrefix: 'JIT-' }, 'accountNamePrefix'],
    ['a prefix with a NUL', { accountNamePrefix: 'jit\u0000' }, 'accountNamePrefix'],
    ['a prefix for a shell', { accountNamePrefix: '$(id)' }, 'accountNamePrefix'],
    ['one bad value among good ones', { totpLogin: true, passwordLength: 16, accountRestDays: 0 }, 'accountRestDays'],
  ])('%s: refused, nothing changed', async (_, patch, field) => {
    const before = await read(admin.actor, customer.tenantId);
    expect(await change(admin.actor, customer.tenantId, patch)).toMatchObject({
      __typename: 'InvalidInput',
      field,
      message: expect.stringContaining(field),
    });
    expect(await read(admin.actor, customer.tenantId)).toEqual(before);
    await service.settled();
    expect(service.audits.filter((event) => event.subjectId === customer.tenantId)).toEqual([]);
  });

  test.each<[string, object]>([
    ['an unknown setting', { nonsense: 1 }],
    ['text for a number', { passwordLength: '24' }],
    ['a fraction', { passwordLength: 24.5 }],
    ['more than 32 bits', { sessionSeconds: 2 ** 31 }],
  ])('%s does not even run', async (_, patch) => {
    const answer = await service.send(
      admin.actor,
      'mutation ($input: UpdateJitSettingsInput!) { updateJitSettings(input: $input) { __typename } }',
      { input: { tenantId: customer.tenantId, ...patch } },
    );
    expect(codeOf(answer)).toBe('BAD_USER_INPUT');
  });

  test('is audited with old and new value, and only what changed', async () => {
    await change(admin.actor, customer.tenantId, { passwordLength: 16, totpLogin: true });
    await change(admin.actor, customer.tenantId, { passwordLength: 20, totpLogin: true });
    await change(admin.actor, customer.tenantId, { passwordLength: null, totpLogin: true });
    await change(admin.actor, customer.tenantId, { totpLogin: true });
    await service.audited('settings.changed', customer.tenantId);
    const details = async () => {
      const left = await service.rows(`select 1 from outbox where type = 'audit-recorded'`);
      expect(left).toEqual([]);
      return service.audits.filter((event) => event.subjectId === customer.tenantId).map((event) => event.details);
    };
    expect(await eventually(details)).toEqual(
      expect.arrayContaining([
        { 'passwordLength.old': null, 'passwordLength.new': 16, 'totpLogin.old': null, 'totpLogin.new': true },
        { 'passwordLength.old': 16, 'passwordLength.new': 20 },
        { 'passwordLength.old': 20, 'passwordLength.new': null },
      ]),
    );
    expect(await eventually(details)).toHaveLength(3);
  });

  test('of two at once none is lost', async () => {
    await Promise.all([
      change(admin.actor, customer.tenantId, { passwordLength: 16 }),
      change(admin.actor, customer.tenantId, { accountRestDays: 7 }),
      change(admin.actor, customer.tenantId, { totpLogin: true }),
    ]);
    expect(await read(admin.actor, customer.tenantId)).toMatchObject({
      passwordLength: { value: 16 },
      accountRestDays: { value: 7 },
      totpLogin: { value: true },
    });
  });

  test('needs settings.write, reading needs settings.read', async () => {
    await expect(change(technicianActor(msp, 'TECHNICIAN'), customer.tenantId, { totpLogin: true })).rejects.toThrow('FORBIDDEN');
    const device: Actor = { kind: 'device', id: oldId(), mspId: msp.mspId, tenantId: customer.tenantId };
    expect(codeOf(await ask(device, [customer.tenantId]))).toBe('FORBIDDEN');
  });
});

describe('a tenant that was made a moment ago', () => {
  test('200 of 200: the change waits for the message', async () => {
    // Not all at a time: what is shown is that each waits, not how many a slow machine serves within five seconds.
    for (let round = 0; round < 10; round += 1) {
      const ids = Array.from({ length: 20 }, () => newId());
      const changes = ids.map((id) => change(admin.actor, id, { sessionSeconds: 600 }));
      await Promise.all(ids.map((id) => world.tenant(msp, 'Fresh', id)));
      for (const changed of await Promise.all(changes)) expect(changed).toMatchObject({ jitSettings: { sessionSeconds: { value: 600 } } });
    }
  });

  test('its settings can be read at once, too', async () => {
    const id = newId();
    const reading = read(admin.actor, id);
    await world.tenant(msp, 'Fresh', id);
    expect(await reading).toMatchObject({ totpLogin: { source: 'DEFAULT' } });
  });

  test('a fresh id that never arrives: NotFound after 5 s; a foreign one alike; an old one and nonsense at once', async () => {
    const foreign = await world.tenant(null, 'Fabrikam', newId());
    await service.settled();
    const timed = async (id: Id) => {
      const started = performance.now();
      const answer = await change(admin.actor, id, { sessionSeconds: 600 });
      return { answer, seconds: (performance.now() - started) / 1000 };
    };
    const [unknown, other, old, nonsense] = await Promise.all([timed(newId()), timed(foreign.tenantId), timed(oldId()), timed('nonsense')]);
    for (const { answer } of [unknown, other, old, nonsense])
      expect(answer).toEqual({ __typename: 'NotFound', message: unknown.answer['message'] });
    for (const { seconds } of [unknown, other]) expect(Math.round(seconds)).toBe(5);
    for (const { seconds } of [old, nonsense]) expect(seconds).toBeLessThan(2);
  });
});
