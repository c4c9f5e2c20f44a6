import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { LoginApprovalContent, Payload } from '@stint/contracts';
import type { PasskeyEmulator } from '@stint/passkey-emulator';
import { eventually } from '@stint/testing';
import { codeOf, idOf, loginFields, technicianActor, World, type Computer, type StartedLogin, type Technician } from '../testing/world.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let computer: Computer;
let anna: Technician;
let phone: PasskeyEmulator;
let people = 0;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  await service.settled();
  await setPush(true);
});
beforeEach(async () => {
  computer = await world.computer(customer);
  anna = await world.technician(msp, 'TECHNICIAN', { email: `anna${(people += 1)}@example.com` });
  phone = await world.phone(anna);
  await service.settled();
});
afterAll(() => service.close());

const setPush = (pushLogin: boolean | null, { tenantId } = customer) =>
  world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
    ...{ tenantId, pushLogin, totpLogin: true },
  });
/** Starts a PUSH login and waits until it is decided whether anybody is asked. */
const push = async (email = anna.told.email, at = computer): Promise<StartedLogin> => {
  const login = await world.start(at, 'PUSH', newId(), email);
  await decided(login.id);
  return login;
};
const decided = (id: Id) =>
  eventually(async () =>
    expect(await service.rows('select 1 from login_request where id = $1 and asked_email is null', [id])).toHaveLength(1),
  );
const waiting = (by: Technician) =>
  world.ask(by.actor, `{ waiting { logins { ${loginFields} } accessRequests { id ruleName } } }`) as unknown as Promise<{
    logins: Record<string, unknown>[];
    accessRequests: Record<string, unknown>[];
  }>;
const promptsOf = ({ actor }: Technician) =>
  service.others.received('login-prompted').filter(({ technicianId }) => technicianId === actor.id);
const asksAnna = async () => (await waiting(anna)).logins.map(idOf);
const approve = (login: StartedLogin, change: object = {}, signed: Partial<LoginApprovalContent> = {}, by = anna, own = phone) =>
  world.approveBy(own, by, login, { code: null, number: login.content.shownNumber, ...change }, signed);
const deny = (login: { id: Id }, input: object = {}, by = anna) =>
  world.mutate(by.actor, 'denyLogin', `... on LoginRequest { ${loginFields} }`, { id: login.id, ...input });

describe('a login by PUSH', () => {
  test('asks the technician, who types the number, and makes a grant', async () => {
    const login = await push(` ${anna.told.email.toUpperCase()} `);
    expect(login.content.shownNumber).toMatch(/^\d\d$/);
    expect((await waiting(anna)).logins).toEqual([
      expect.objectContaining({
        id: login.id,
        method: 'PUSH',
        state: 'PENDING',
        hostName: 'ws-07',
        tenantName: 'Contoso Dental',
        shownNumber: null,
      }),
    ]);
    await eventually(() => expect(service.technicianNudges).toContain(anna.actor.id));
    // What goes to services/tenants, for the phone: nothing that says where, let alone that approves.
    await eventually(() => expect(promptsOf(anna)).toHaveLength(1));
    expect(promptsOf(anna)).toEqual([
      {
        ...{ mspId: msp.mspId, tenantId: customer.tenantId, technicianId: anna.actor.id, loginRequestId: login.id },
        expiresAt: new Date(service.clock.now().getTime() + 120_000).toISOString(),
      },
    ]);
    expect(await approve(login)).toMatchObject({ state: 'APPROVED', shownNumber: login.content.shownNumber, grant: { state: 'APPROVED' } });
    expect(await asksAnna()).toEqual([]);
    expect(await service.audited('login.prompted', login.id)).toMatchObject({
      actorKind: 'device',
      details: { technicianId: anna.actor.id, hostName: 'ws-07' },
    });
    expect(await service.audited('login.approved', login.id)).toMatchObject({ actorId: anna.actor.id, details: { method: 'PUSH' } });
    expect(await world.desired(computer)).toMatchObject({ accounts: [{ state: 'ENABLED' }] });
  });

  test('the number is nowhere on the phone while the login waits', async () => {
    const login = await push();
    const everything = await Promise.all([
      service.send(anna.actor, `{ waiting { logins { ${loginFields} } } }`),
      service.send(anna.actor, `query ($id: ID!) { loginRequest(id: $id) { ${loginFields} } }`, { id: login.id }),
      service.send(anna.actor, 'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on LoginRequest { shownNumber } } }', {
        refs: [{ __typename: 'LoginRequest', id: login.id }],
      }),
      service.send(anna.actor, 'mutation ($i: ApproveLoginInput!) { approveLogin(input: $i) { ... on LoginRequest { shownNumber } } }', {
        i: { id: login.id, number: '1', assertion: '{}' },
      }),
    ]);
    expect(everything.map(({ errors }) => errors)).toEqual([undefined, undefined, undefined, undefined]);
    expect(JSON.stringify(everything)).not.toContain(`"shownNumber":"`);
    expect(await world.login(computer.actor, login.id)).toMatchObject({ shownNumber: login.content.shownNumber, state: 'PENDING' });
    expect(await asksAnna()).toEqual([login.id]);
  });

  test.each([undefined, null, '', '7', '777', 'ab', '٠٧'])('%j is no number and no guess', async (number) => {
    const login = await push();
    expect(await approve(login, { number })).toMatchObject({ __typename: 'InvalidInput', field: 'number' });
    expect(await approve(login)).toMatchObject({ state: 'APPROVED' });
  });

  test('a wrong number denies the login, whatever else is right', async () => {
    const login = await push();
    const number = login.content.shownNumber === '00' ? '01' : '00';
    expect(await approve(login, { number })).toMatchObject({ __typename: 'LoginRequest', state: 'DENIED', grant: null });
    expect(await approve(login)).toMatchObject({ __typename: 'Conflict' });
    expect(await world.login(computer.actor, login.id)).toMatchObject({ state: 'DENIED' });
    expect(await service.audited('login.wrong-number', login.id)).toMatchObject({ actorId: anna.actor.id });
    // It counts as a denial: a pause follows.
    await push();
    expect(await asksAnna()).toEqual([]);
  });

  test('the right number without the passkey gives nothing, nor does a passkey over another number', async () => {
    const login = await push();
    expect(await approve(login, { assertion: '{}' })).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await approve(login, {}, { shownNumber: '' })).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await service.rows('select 1 from jit_grant where login_request_id = $1', [login.id])).toEqual([]);
  });

  test('is there for nobody else: not seen, approved or denied', async () => {
    const login = await push();
    const bert = await world.technician(msp, 'ADMINISTRATOR', { email: `bert${people}@example.com` });
    const other = await world.phone(bert);
    await service.settled();
    expect((await waiting(bert)).logins).toEqual([]);
    expect(codeOf(await service.send(bert.actor, 'query ($id: ID!) { loginRequest(id: $id) { id } }', { id: login.id }))).toBe('NOT_FOUND');
    expect(await approve(login, {}, {}, bert, other)).toMatchObject({ __typename: 'NotFound' });
    expect(await deny(login, {}, bert)).toMatchObject({ __typename: 'NotFound' });
    expect(await deny(login, { notMe: true }, bert)).toMatchObject({ __typename: 'NotFound' });
    expect(await asksAnna()).toEqual([login.id]);
  });

  test('of 20 approvals at once one makes the grant', async () => {
    const login = await push();
    const answers = await Promise.all(Array.from({ length: 20 }, () => approve(login)));
    expect(answers.filter(({ __typename }) => __typename === 'LoginRequest')).toHaveLength(1);
    expect(await service.rows('select 1 from jit_grant where login_request_id = $1', [login.id])).toHaveLength(1);
  });

  test('a QR login still needs its code, and asks nobody', async () => {
    const login = await world.start(computer);
    expect(await world.approveBy(phone, anna, login, { code: null })).toMatchObject({ __typename: 'NotFound' });
    expect(await deny(login)).toMatchObject({ __typename: 'NotFound' });
    expect(await deny(login, { code: login.code, notMe: true })).toMatchObject({ state: 'DENIED' });
    // Said of a QR code that was scanned, it stops no prompts.
    const next = await push();
    expect(await asksAnna()).toEqual([next.id]);
  });

  test('needs an address, and the setting', async () => {
    const input = { id: newId(), method: 'PUSH' };
    const fields = '... on StartedLogin { __typename } ... on NotAllowedBySettings { setting }';
    for (const email of [undefined, null, '', 'anna', 'anna@example.com\nbert@example.com'])
      expect(await world.mutate(computer.actor, 'startLogin', fields, { ...input, email })).toMatchObject({
        __typename: 'InvalidInput',
        field: 'email',
      });
    await setPush(null);
    expect(await world.mutate(computer.actor, 'startLogin', fields, { ...input, email: anna.told.email })).toMatchObject({
      __typename: 'NotAllowedBySettings',
      setting: 'pushLogin',
    });
    await setPush(true);
  });
});

describe('whom it asks cannot be told at the computer', () => {
  test('known, limited, switched off, foreign and unknown addresses answer the same, and leave the same traces there', async () => {
    const off = await world.technician(msp, 'TECHNICIAN', { email: `off${people}@example.com`, active: false });
    const auditor = await world.technician(msp, 'AUDITOR', { email: `auditor${people}@example.com` });
    const foreign = await world.technician(await world.tenant(null, 'Fabrikam'), 'TECHNICIAN', { email: `foreign${people}@example.com` });
    await service.settled();
    await deny(await push(), { notMe: true });
    await service.settled();
    const known = await world.technician(msp, 'TECHNICIAN', { email: `known${people}@example.com` });
    await service.settled();
    const seen: object[] = [];
    const addresses = [known, anna, off, auditor, foreign].map(({ told }) => told.email);
    for (const email of [...addresses, 'nobody@example.com']) {
      const login = await push(email);
      const { id: _, shownNumber, expiresAt, ...rest } = await world.login(computer.actor, login.id);
      expect(shownNumber).toBe(login.content.shownNumber);
      expect(new Date(String(expiresAt)).getTime() - service.clock.now().getTime()).toBe(120_000);
      seen.push(rest);
    }
    expect(seen).toEqual(seen.map(() => seen[0]));
    const asked = await service.rows<{ id: Id }>(
      'select asked_technician_id as id from login_request where asked_technician_id is not null',
    );
    expect(asked.map(({ id }) => id)).toContain(known.actor.id);
    for (const one of [off, auditor, foreign]) expect(asked.map(({ id }) => id)).not.toContain(one.actor.id);
  });

  test('100 logins in a row with a known address make 3 prompts, and the technician still gets in by QR and TOTP', async () => {
    const [qr, totp] = [await world.start(computer), await world.start(computer, 'TOTP')];
    for (let round = 0; round < 100; round += 1) await world.start(computer, 'PUSH', newId(), anna.told.email);
    await eventually(async () => expect(await service.rows('select 1 from login_request where asked_email is not null')).toEqual([]), {
      timeoutMs: 20_000,
    });
    const asked = await service.rows('select 1 from login_request where asked_technician_id = $1', [anna.actor.id]);
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(service.technicianNudges.filter((id) => id === anna.actor.id).length).toBeLessThanOrEqual(3);
    await eventually(() => expect(promptsOf(anna)).toHaveLength(asked.length));
    // Those that waited at the same computer all the time.
    expect(await world.approveBy(phone, anna, qr)).toMatchObject({ state: 'APPROVED' });
    await service.tell('totp-accepted', {
      ...{ mspId: msp.mspId, tenantId: customer.tenantId, loginRequestId: totp.id, technicianId: anna.actor.id },
      deviceId: totp.content.deviceId,
    });
    await eventually(async () =>
      expect(await service.rows(`select 1 from login_request where id = $1 and state = 'APPROVED'`, [totp.id])).toHaveLength(1),
    );
  });

  test('20 computers at once make 3 prompts', async () => {
    const computers = await Promise.all(Array.from({ length: 20 }, () => world.computer(customer)));
    await service.settled();
    const logins = await Promise.all(computers.map((one) => world.start(one, 'PUSH', newId(), anna.told.email)));
    await Promise.all(logins.map(({ id }) => decided(id)));
    expect(await asksAnna()).toHaveLength(3);
    const events = await eventually(() => {
      const found = service.audits.filter(
        ({ action, details }) => action === 'login.prompt-withheld' && details['technicianId'] === anna.actor.id,
      );
      expect(found).toHaveLength(17);
      return found;
    });
    expect(events[0]?.details['why']).toBe('The technician was asked 3 times within 10 minutes.');
  });

  test('the address that was typed stays nowhere', async () => {
    await push();
    const typed = 'My-Secret-Password@example.com';
    await push(typed);
    const everything = await service.rows('select to_jsonb(l) as row from login_request l union all select to_jsonb(o) from outbox o');
    expect(JSON.stringify([everything, service.audits]).toLowerCase()).not.toContain(typed.toLowerCase());
  });
});

describe('“not me”', () => {
  test('denies, ends what else asks the technician, stops prompts for an hour, and is an audit event of its own', async () => {
    const other = await world.tenant(msp, 'Fabrikam');
    await service.settled();
    await setPush(true, other);
    const elsewhere = await world.computer(other);
    await service.settled();
    const [first, second] = [await push(), await push(anna.told.email, elsewhere)];
    expect(await asksAnna()).toEqual([first.id, second.id]);
    expect(await deny(first, { notMe: true })).toMatchObject({ state: 'DENIED' });
    expect(await deny(first, { notMe: true })).toMatchObject({ state: 'DENIED' });
    await eventually(async () => expect(await world.login(elsewhere.actor, second.id)).toMatchObject({ state: 'DENIED' }));
    expect(await service.audited('login.not-me', first.id)).toMatchObject({ actorId: anna.actor.id, details: { hostName: 'ws-07' } });
    expect(await service.audited('login.denied', second.id)).toMatchObject({ actorId: anna.actor.id, details: { why: 'not me' } });
    expect(service.audits.filter(({ action, subjectId }) => action === 'login.not-me' && subjectId === first.id)).toHaveLength(1);
    await push();
    expect(await asksAnna()).toEqual([]);
    expect(await world.approveBy(phone, anna, await world.start(computer))).toMatchObject({ state: 'APPROVED' });
  });

  test('is also taken of a login that is over, but not of one that was approved', async () => {
    const gone = await push();
    await world.mutate(computer.actor, 'cancelLogin', '... on LoginRequest { __typename }', { id: gone.id });
    expect(await deny(gone)).toMatchObject({ __typename: 'Conflict' });
    const approved = await push();
    await approve(approved);
    expect(await deny(approved, { notMe: true })).toMatchObject({ __typename: 'Conflict' });
    expect(await deny(gone, { notMe: true })).toMatchObject({ __typename: 'LoginRequest', state: 'FAILED' });
    await push();
    expect(await asksAnna()).toEqual([]);
  });
});

describe('whoever is locked out by an administrator', () => {
  test('is asked no longer, in the reach of that administrator; it counts as no answer of theirs', async () => {
    const other = await world.tenant(msp, 'Tailspin');
    await service.settled();
    await setPush(true, other);
    const elsewhere = await world.computer(other);
    await service.settled();
    const [here, there] = [await push(), await push(anna.told.email, elsewhere)];
    const endAll = (by = technicianActor(msp, 'ADMINISTRATOR')) =>
      world.mutate(by, 'endAllOfTechnician', '... on EndedAll { cancelledLogins outOfReach }', {
        ...{ technicianId: anna.actor.id, reason: 'Stolen phone' },
      });
    const admin = technicianActor(customer, 'ADMINISTRATOR');
    expect(await endAll(admin)).toMatchObject({ cancelledLogins: 1, outOfReach: 1 });
    expect(await asksAnna()).toEqual([there.id]);
    expect(await world.login(computer.actor, here.id)).toMatchObject({ state: 'DENIED', failure: null });
    expect(await approve(here)).toMatchObject({ __typename: 'Conflict' });
    expect(await service.audited('login.denied', here.id)).toMatchObject({ actorId: admin.id, details: { why: 'Stolen phone' } });
    expect(await endAll()).toMatchObject({ cancelledLogins: 1, outOfReach: 0 });
    await push();
    expect(await asksAnna()).toHaveLength(1);
  });
});

describe('what waits for other people', () => {
  test('is hinted to those who can approve it, and listed for them only', async () => {
    await world.rule(customer, { name: 'Tills', deviceTags: ['till'], approvals: 1 });
    const till = await world.computer(customer, { tags: ['till'] });
    const lead = await world.technician(customer, 'ADMINISTRATOR', { email: `lead${people}@example.com` });
    const colleague = await world.technician(await world.tenant(msp, 'Fabrikam'), 'ADMINISTRATOR', {
      email: `colleague${people}@example.com`,
    });
    await service.settled();
    const login = await push(anna.told.email, till);
    expect(await approve(login)).toMatchObject({ state: 'AWAITING_APPROVAL' });
    await eventually(() => expect(service.technicianNudges).toContain(lead.actor.id));
    const requestId = await world.requestOf(anna, login);
    expect((await waiting(lead)).accessRequests).toEqual([{ id: requestId, ruleName: 'Tills' }]);
    for (const one of [anna, colleague]) expect((await waiting(one)).accessRequests).toEqual([]);
    expect(service.technicianNudges).not.toContain(colleague.actor.id);
    // The number is in what the approver signs.
    const seen = await world.accessRequest(lead, requestId);
    expect(seen).toMatchObject({ loginRequest: { shownNumber: login.content.shownNumber } });
  });
});
