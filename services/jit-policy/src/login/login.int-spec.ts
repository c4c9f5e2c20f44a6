import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { codeOf, idOf, loginFields, keysOf, newPhone, technicianActor, World, type Computer, type Technician } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';
import { mostPending } from './login.domain.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
});
beforeEach(async () => {
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const byCode = `query ($code: String!) { loginRequestByCode(code: $code) { ${loginFields} } }`;
const grantsOf = (loginId: Id) => service.rows('select id from jit_grant where login_request_id = $1', [loginId]);
const setTotp = (on: boolean | null) =>
  world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
    tenantId: customer.tenantId,
    totpLogin: on,
  });

describe('a login by QR', () => {
  test('is shown to the technician who scanned it, approved, and makes one grant', async () => {
    const login = await world.start(computer);
    expect(login.code).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(login.content).toMatchObject({
      tenantName: 'Contoso Dental',
      hostName: 'ws-07',
      durationSeconds: 3600,
      shownNumber: expect.stringMatching(/^\d\d$/),
    });
    const scanned = await world.ask(anna.actor, byCode, { code: login.code });
    expect(scanned).toMatchObject({
      id: login.id,
      state: 'PENDING',
      method: 'QR',
      device: { id: computer.actor.id },
      tenant: { id: customer.tenantId },
      grant: null,
    });
    expect(new Date(String(scanned['expiresAt'])).getTime() - service.clock.now().getTime()).toBe(120_000);

    const approved = await world.approve(
      anna,
      login,
      { reason: ' Printer ', ticket: 'T-1', sessionSeconds: 600 },
      { reason: 'Printer', ticket: 'T-1', durationSeconds: 600 },
    );
    expect(approved).toMatchObject({
      __typename: 'LoginRequest',
      state: 'APPROVED',
      sessionSeconds: 600,
      grant: { state: 'APPROVED', accountName: 'jit-annaberg' },
    });
    expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'APPROVED' });
    expect(await world.grant(anna, idOf(approved['grant']))).toMatchObject({
      state: 'APPROVED',
      reason: 'Printer',
      ticket: 'T-1',
      technician: { id: anna.actor.id },
      device: { id: computer.actor.id },
      expiresAt: null,
    });
    expect(await service.audited('login.started', login.id)).toMatchObject({
      tenantId: customer.tenantId,
      actorKind: 'device',
      actorId: computer.actor.id,
    });
    const event = await service.audited('login.approved', login.id);
    expect(event).toMatchObject({
      actorKind: 'technician',
      actorId: anna.actor.id,
      details: { reason: 'Printer', ticket: 'T-1', sessionSeconds: 600, grantId: idOf(approved['grant']) },
    });
    await eventually(() => expect(service.nudges).toContain(computer.actor.id));
  });

  test('the code is at rest only as its hash, and nowhere in what leaves', async () => {
    const login = await world.start(computer);
    await world.approve(anna, login);
    await service.audited('login.approved', login.id);
    const everything = await service.rows(
      'select to_jsonb(l) as row from login_request l union all select to_jsonb(g) from jit_grant g union all select to_jsonb(o) from outbox o',
    );
    expect(JSON.stringify([everything, service.audits])).not.toContain(login.code);
  });

  test('the code works once', async () => {
    const login = await world.start(computer);
    expect(await world.approve(anna, login)).toMatchObject({ state: 'APPROVED' });
    expect(await world.approve(anna, login)).toMatchObject({
      __typename: 'Conflict',
      message: 'This login is approved already. Start a new one at the computer.',
    });
    expect(
      await world.mutate(anna.actor, 'denyLogin', '... on LoginRequest { __typename }', { id: login.id, code: login.code }),
    ).toMatchObject({ __typename: 'Conflict' });
    expect(await grantsOf(login.id)).toHaveLength(1);
  });

  test('50 approvals at once make one grant', async () => {
    const bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
    await service.settled();
    const login = await world.start(computer);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => world.approve(index % 2 === 0 ? anna : bert, login)));
    expect(answers.map((answer) => answer.__typename).sort()).toEqual([...Array.from({ length: 49 }, () => 'Conflict'), 'LoginRequest']);
    expect(await grantsOf(login.id)).toHaveLength(1);
    expect((await world.desired(computer)).accounts).toHaveLength(1);
    expect(
      await service.rows(
        `select id from outbox where type = 'audit-recorded' and payload::text like '%login.approved%' and payload::text like $1`,
        [`%${login.id}%`],
      ),
    ).toHaveLength(0);
    expect(service.audits.filter((event) => event.action === 'login.approved' && event.subjectId === login.id)).toHaveLength(1);
  });

  test('approval, denial, cancellation and a new start at once: one of them wins', async () => {
    for (let round = 0; round < 10; round += 1) {
      const login = await world.start(computer);
      const deny = () => world.mutate(anna.actor, 'denyLogin', '... on LoginRequest { __typename }', { id: login.id, code: login.code });
      const cancel = () => world.mutate(computer.actor, 'cancelLogin', `... on LoginRequest { __typename }`, { id: login.id });
      await Promise.all([world.approve(anna, login), deny(), cancel(), world.start(computer)]);
      const { state } = await world.login(anna.actor, login.id);
      expect(await grantsOf(login.id)).toHaveLength(state === 'APPROVED' ? 1 : 0);
      expect(['APPROVED', 'DENIED', 'FAILED']).toContain(state);
    }
  });

  test('is over after 120 s, to the millisecond, whether or not a sweep has run', async () => {
    const login = await world.start(computer);
    service.clock.advance(119.999);
    expect(await world.ask(anna.actor, byCode, { code: login.code })).toMatchObject({ state: 'PENDING' });
    service.clock.advance(0.001);
    expect(await world.approve(anna, login)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('has expired') });
    expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'EXPIRED', failure: null });
    await eventually(async () =>
      expect(await service.rows('select state from login_request where id = $1', [login.id])).toEqual([{ state: 'EXPIRED' }]),
    );
    expect(await service.audited('login.expired', login.id)).toMatchObject({ actorKind: 'system', tenantId: customer.tenantId });
    expect(await grantsOf(login.id)).toEqual([]);
  });

  test('the sweep and an approval of the last moment cannot both win', async () => {
    const computers = await Promise.all(Array.from({ length: 20 }, () => world.computer(customer)));
    await service.settled();
    const logins = await Promise.all(computers.map((one) => world.start(one)));
    service.clock.advance(119.9);
    const approvals = logins.map((login) => world.approve(anna, login));
    service.clock.advance(0.1);
    const answers = await Promise.all(approvals);
    await eventually(async () =>
      expect(
        await service.rows(`select id from login_request where state = 'PENDING' and expires_at <= $1`, [service.clock.now()]),
      ).toEqual([]),
    );
    for (const [index, login] of logins.entries()) {
      const [{ state } = { state: '' }] = await service.rows<{ state: string }>('select state from login_request where id = $1', [
        login.id,
      ]);
      expect([state, (await grantsOf(login.id)).length, answers[index]?.__typename]).toEqual(
        state === 'APPROVED' ? ['APPROVED', 1, 'LoginRequest'] : ['EXPIRED', 0, 'Conflict'],
      );
    }
  });
});

describe('an approval is refused', () => {
  test.each<[string, object, object]>([
    ['a signature over another reason', { reason: 'Printer' }, { reason: 'Payroll' }],
    ['a reason that was not signed', { reason: 'Printer' }, {}],
    ['a signed reason that is not sent', {}, { reason: 'Printer' }],
    ['another ticket', { ticket: 'T-1' }, { ticket: 'T-2' }],
    ['another length', { sessionSeconds: 600 }, { durationSeconds: 601 }],
    ['longer than was signed', { sessionSeconds: 7200 }, { durationSeconds: 3600 }],
    ['another computer', {}, { deviceId: newId() }],
    ['another host name', {}, { hostName: 'dc-01' }],
    ['another customer', {}, { tenantName: 'Fabrikam' }],
    ['another tenant id', {}, { tenantId: newId() }],
    ['another login', {}, { loginRequestId: newId() }],
    ['another number', {}, { shownNumber: '100' }],
    ['no assertion', { assertion: '' }, {}],
    ['nonsense for an assertion', { assertion: '{"id":"A"}' }, {}],
    ['another technician', {}, { technicianId: newId() }],
    ['another purpose', {}, { purpose: 'second-approval' }],
    ['another kind of account', {}, { accountKind: 'DOMAIN' }],
  ])('%s', async (_, sent, signed) => {
    const login = await world.start(computer);
    expect(await world.approve(anna, login, sent, signed)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await world.login(anna.actor, login.id)).toMatchObject({ state: 'PENDING' });
    expect(await world.approve(anna, login)).toMatchObject({ state: 'APPROVED' });
  });

  test('the signature of one login, moved to another', async () => {
    const [first, second] = [await world.start(computer), await world.start(await settledComputer())];
    expect(await world.approve(anna, second, {}, first.content)).toMatchObject({ __typename: 'ApprovalInvalid' });
  });

  test.each<[string, object, string]>([
    ['a session of 59 s', { sessionSeconds: 59 }, 'sessionSeconds'],
    ['a session of over 8 h', { sessionSeconds: 28_801 }, 'sessionSeconds'],
    ['a blank reason', { reason: ' ' }, 'reason'],
    ['a reason of 501 characters', { reason: 'x'.repeat(501) }, 'reason'],
    ['a reason that turns the line around', { reason: 'a\u202eb' }, 'reason'],
    ['a ticket with a NUL', { ticket: 'T\u0000' }, 'ticket'],
  ])('%s', async (_, sent, field) => {
    expect(await world.approve(anna, await world.start(computer), sent)).toMatchObject({ __typename: 'InvalidInput', field });
  });

  test.each<[string, (login: { id: Id; code: string }) => object]>([
    ['a wrong code', () => ({ code: 'A'.repeat(22) })],
    ['the code with a space', ({ code }) => ({ code: `${code} ` })],
    ['no code', () => ({ code: '' })],
    ['a right code with another id', () => ({ id: newId() })],
    ['nonsense for an id', () => ({ id: "' or true --" })],
  ])('%s: not found', async (_, change) => {
    const login = await world.start(computer);
    expect(await world.approve(anna, login, change(login))).toMatchObject({ __typename: 'NotFound' });
    expect(
      await world.mutate(anna.actor, 'denyLogin', '... on LoginRequest { __typename }', {
        id: login.id,
        code: login.code,
        ...change(login),
      }),
    ).toMatchObject({ __typename: 'NotFound' });
  });

  test('the code of another login', async () => {
    const [first, second] = [await world.start(computer), await world.start(await settledComputer())];
    expect(await world.approve(anna, first, { code: second.code })).toMatchObject({ __typename: 'NotFound' });
  });

  test.each<[string, Partial<Payload<'technician-changed'>>]>([
    ['switched off between scan and approval', { active: false, version: 2 }],
    ['without the role by now', { assignments: [], version: 2 }],
  ])('a technician %s', async (_, change) => {
    const carl = await world.technician(msp);
    await service.settled();
    const login = await world.start(computer);
    await service.tell('technician-changed', { ...carl.told, ...change });
    await service.settled();
    await expect(world.approve(carl, login)).rejects.toThrow('FORBIDDEN');
    expect(await grantsOf(login.id)).toEqual([]);
  });

  test('a key that was taken away', async () => {
    const carl = await world.technician(msp);
    await service.settled();
    const login = await world.start(computer);
    await service.tell('technician-keys-changed', {
      ...keysOf(carl),
      keys: [(await newPhone(carl.told)).key],
      version: 2,
    });
    await service.settled();
    expect(await world.approve(carl, login)).toMatchObject({ __typename: 'ApprovalInvalid' });
  });
});

describe('other ways out', () => {
  test('denied, and denied again', async () => {
    const login = await world.start(computer);
    const deny = () => world.mutate(anna.actor, 'denyLogin', `... on LoginRequest { ${loginFields} }`, { id: login.id, code: login.code });
    expect(await deny()).toMatchObject({ state: 'DENIED' });
    expect(await deny()).toMatchObject({ state: 'DENIED' });
    expect(await world.approve(anna, login)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('was denied') });
    expect(await service.audited('login.denied', login.id)).toMatchObject({ actorId: anna.actor.id });
  });

  test('cancelled at the computer, and cancelled again', async () => {
    const login = await world.start(computer);
    const cancel = () => world.mutate(computer.actor, 'cancelLogin', `... on LoginRequest { ${loginFields} }`, { id: login.id });
    expect(await cancel()).toMatchObject({ state: 'FAILED', failure: 'It was cancelled at the computer.' });
    expect(await cancel()).toMatchObject({ state: 'FAILED' });
    expect(await world.approve(anna, login)).toMatchObject({ __typename: 'Conflict' });
    expect(await service.audited('login.failed', login.id)).toMatchObject({ actorKind: 'device' });
  });

  test('what is approved cannot be cancelled', async () => {
    const login = await world.start(computer);
    await world.approve(anna, login);
    expect(await world.mutate(computer.actor, 'cancelLogin', '... on LoginRequest { __typename }', { id: login.id })).toMatchObject({
      __typename: 'Conflict',
    });
  });

  test('logins wait beside each other: nobody ends another one`s by starting one, and each is approved by itself', async () => {
    const [first, second] = [await world.start(computer), await world.start(computer)];
    expect(await world.approve(anna, first)).toMatchObject({ state: 'APPROVED' });
    expect(await world.login(computer.actor, second.id)).toMatchObject({ state: 'PENDING' });
    expect(await world.approve(anna, second)).toMatchObject({ state: 'APPROVED' });
  });

  test('of too many the oldest are given up', async () => {
    const first = await world.start(computer);
    await Promise.all(Array.from({ length: mostPending + 5 }, () => world.start(computer)));
    expect(await service.rows(`select id from login_request where device_id = $1 and state = 'PENDING'`, [computer.actor.id])).toHaveLength(
      mostPending,
    );
    expect(await world.login(computer.actor, first.id)).toMatchObject({
      state: 'FAILED',
      failure: 'Another login was started at the computer.',
    });
    expect(await world.approve(anna, first)).toMatchObject({ __typename: 'Conflict' });
  });

  test('a revoked computer starts nothing, and what waited there fails', async () => {
    const login = await world.start(computer);
    await service.tell('device-changed', { ...computer.told, active: false, version: 2 });
    await service.settled();
    expect(await world.login(anna.actor, login.id)).toMatchObject({ state: 'FAILED', failure: 'The computer was revoked.' });
    await expect(world.start(computer)).rejects.toThrow('FORBIDDEN');
    expect(await world.approve(anna, login)).toMatchObject({ __typename: 'Conflict' });
  });
});

describe('starting', () => {
  const start = (who: Computer, id: Id, method: string) =>
    world.mutate(
      who.actor,
      'startLogin',
      '... on StartedLogin { __typename qrPayload loginRequest { id } } ... on NotAllowedBySettings { setting }',
      { id, method },
    );

  test('the QR carries the address of Stint and the code', async () => {
    expect((await start(computer, newId(), 'QR'))['qrPayload']).toMatch(/^https:\/\/stint\.example\/l\/[A-Za-z0-9_-]{22}$/);
  });

  test('a code is shown once: the same id again is a conflict, whoever uses it', async () => {
    const id = newId();
    expect(await start(computer, id, 'QR')).toMatchObject({ __typename: 'StartedLogin' });
    expect(await start(computer, id, 'QR')).toMatchObject({ __typename: 'Conflict' });
    expect(await start(await settledComputer(), id, 'QR')).toMatchObject({ __typename: 'Conflict' });
    const branch = await world.tenant(customer, 'Branch');
    const elsewhere = await world.computer(branch);
    await service.settled();
    expect(await start(elsewhere, id, 'QR')).toMatchObject({ __typename: 'Conflict' });
    expect(await service.rows('select device_id from login_request where id = $1', [id])).toEqual([{ device_id: computer.actor.id }]);
  });

  test.each(['', 'x', newId().toUpperCase(), '3f6c0a52-0c4e-4c5a-9a46-7e0c4a0b7a11'])('with id %j', async (id) => {
    expect(await start(computer, id, 'QR')).toMatchObject({ __typename: 'InvalidInput', field: 'id' });
  });

  test('with TOTP only where the setting allows it, and the same again is the same', async () => {
    expect(await start(computer, newId(), 'TOTP')).toMatchObject({ __typename: 'NotAllowedBySettings', setting: 'totpLogin' });
    await setTotp(true);
    const id = newId();
    expect(await start(computer, id, 'TOTP')).toMatchObject({ __typename: 'StartedLogin', qrPayload: null, loginRequest: { id } });
    expect(await start(computer, id, 'TOTP')).toMatchObject({ __typename: 'StartedLogin', qrPayload: null, loginRequest: { id } });
    expect(await start(computer, id, 'QR')).toMatchObject({ __typename: 'Conflict' });
    await setTotp(null);
  });

  test('a login by code cannot be approved as if it had been scanned', async () => {
    await setTotp(true);
    const login = await world.start(computer, 'TOTP');
    expect(await world.approve(anna, { ...login, code: '' })).toMatchObject({ __typename: 'NotFound' });
    await setTotp(null);
  });
});

describe('things that were made a moment ago', () => {
  test('a computer that logs in before its message is here', async () => {
    const deviceId = newId();
    const fresh: Computer = {
      actor: { kind: 'device', id: deviceId, mspId: msp.mspId, tenantId: customer.tenantId },
      tenantId: customer.tenantId,
      told: { ...computer.told, deviceId },
    };
    const starting = world.start(fresh);
    await service.tell('device-changed', fresh.told);
    expect((await starting).content.hostName).toBe('ws-07');
  });

  test('a technician who approves before their message is here', async () => {
    const login = await world.start(computer);
    const told = { ...anna.told, technicianId: newId() };
    const { phone, key } = await newPhone(told);
    const fresh: Technician = { actor: technicianActor(msp, 'TECHNICIAN', told.technicianId), phone, keys: [key], told };
    const approving = world.approve(fresh, login);
    await service.tell('technician-changed', told);
    await service.tell('technician-keys-changed', keysOf(fresh));
    expect(await approving).toMatchObject({ state: 'APPROVED' });
  });

  test('an old device that is not known gets told to try again, at once', async () => {
    const unknown: Computer = { ...computer, actor: { kind: 'device', id: oldId(), mspId: msp.mspId, tenantId: customer.tenantId } };
    const answer = await service.send(unknown.actor, 'mutation ($input: StartLoginInput!) { startLogin(input: $input) { __typename } }', {
      input: { id: newId(), method: 'QR' },
    });
    expect(codeOf(answer)).toBe('TRY_AGAIN');
  });
});

async function settledComputer(): Promise<Computer> {
  const made = await world.computer(customer);
  await service.settled();
  return made;
}
