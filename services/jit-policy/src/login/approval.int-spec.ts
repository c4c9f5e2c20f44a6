import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import { approvalChallenge, type LoginApprovalContent, type ApprovalProof, type Payload } from '@stint/contracts';
import { verifyPasskeyAssertion } from '@stint/crypto';
import type { PasskeyEmulator } from '@stint/passkey-emulator';
import { idOf, technicianActor, World, type Computer, type Technician } from '../testing/world.ts';
import { TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let anna: Technician;
let phone: PasskeyEmulator;
let computer: Computer;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  anna = await world.technician(msp);
  phone = await world.phone(anna);
});
beforeEach(async () => {
  computer = await world.computer(customer);
  await service.settled();
});
afterAll(() => service.close());

const proofOf = async (loginId: Id) =>
  (await service.rows<{ proof: ApprovalProof }>('select approval_proof as proof from jit_grant where login_request_id = $1', [loginId]))[0]
    ?.proof;
const demands = async (by: Technician, id: Id) =>
  (
    await world.ask(
      by.actor,
      'query ($id: ID!) { loginRequest(id: $id) { demands { denied ruleName requireReason requireTicket approvals maxSeconds defaultSeconds } } }',
      { id },
    )
  )['demands'];

describe('an approval by passkey', () => {
  test.each([-7, -8, -257] as const)('by algorithm %s makes the grant, and the whole proof is kept with it', async (algorithm) => {
    const bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
    const own = await world.phone(bert, algorithm);
    await service.settled();
    const login = await world.start(computer);
    const choice = { reason: 'Printer', ticket: 'T-1', sessionSeconds: 600 };
    const signed = { reason: 'Printer', ticket: 'T-1', durationSeconds: 600 };
    expect(await world.approveBy(own, bert, login, choice, signed)).toMatchObject({ state: 'APPROVED', sessionSeconds: 600 });
    const proof = (await proofOf(login.id)) as ApprovalProof;
    expect(proof).toMatchObject({ by: 'passkey', passkeyId: own.passkeys[0]?.credentialId, algorithm });
    expect(proof.content).toEqual({ ...login.content, ...signed, purpose: 'login', technicianId: bert.actor.id, accountKind: 'LOCAL' });
    // Whoever has the row can check it without us.
    const { passkeyId: id, publicKey, content, by: _, algorithm: __, ...response } = proof;
    const alone = JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response });
    const expected = {
      challenge: approvalChallenge(content).toString('base64url'),
      origin: 'https://stint.example',
      rpId: 'stint.example',
    };
    expect(await verifyPasskeyAssertion(alone, { ...expected, passkey: { id, publicKey } })).toMatchObject({ ok: true });
  });

  test('works for one login, of 20 at once', async () => {
    const login = await world.start(computer);
    const content: LoginApprovalContent = { ...login.content, purpose: 'login', technicianId: anna.actor.id, accountKind: 'LOCAL' };
    const assertion = await world.assertion(phone, content);
    const send = () =>
      world.mutate(anna.actor, 'approveLogin', '... on LoginRequest { __typename }', { id: login.id, code: login.code, assertion });
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual([...Array.from({ length: 19 }, () => 'Conflict'), 'LoginRequest']);
    const next = await world.start(computer);
    expect(await world.approveBy(phone, anna, next, { assertion })).toMatchObject({ __typename: 'ApprovalInvalid' });
  });

  test.each<[string, object, Partial<LoginApprovalContent>, Parameters<PasskeyEmulator['sign']>[2]]>([
    ['without user verification', {}, {}, { userVerified: false }],
    ['without a touch', {}, {}, { userPresent: false }],
    ['for another site', {}, {}, { origin: 'https://stint.example.evil.example' }],
    ['for another relying party', {}, {}, { rpId: 'evil.example' }],
    ['of a registration', {}, {}, { type: 'webauthn.create' }],
    ['from a frame of another site', {}, {}, { crossOrigin: true }],
    ['over another challenge', {}, {}, { challenge: Buffer.alloc(32).toString('base64url') }],
    ['made as a second approval', {}, { purpose: 'second-approval' }, {}],
    ['for somebody else', {}, { technicianId: newId() }, {}],
    ['for a domain account', {}, { accountKind: 'DOMAIN' }, {}],
    ['of another login', {}, { loginRequestId: newId() }, {}],
    ['of another computer', {}, { deviceId: newId() }, {}],
    ['of another number', {}, { shownNumber: '100' }, {}],
    ['for another customer', {}, { tenantName: 'Fabrikam' }, {}],
    ['for longer', { sessionSeconds: 600 }, { durationSeconds: 601 }, {}],
    ['with another reason', { reason: 'A' }, { reason: 'B' }, {}],
    ['without the ticket that was signed', {}, { ticket: 'T-1' }, {}],
    ['that is no JSON', { assertion: '{' }, {}, {}],
    ['that is no object', { assertion: '[]' }, {}, {}],
    ['that is empty', { assertion: '{}' }, {}, {}],
    ['that is huge', { assertion: JSON.stringify({ id: 'x'.repeat(20_000) }) }, {}, {}],
  ])('%s is refused and changes nothing', async (_, change, signed, attack) => {
    const login = await world.start(computer);
    expect(await world.approveBy(phone, anna, login, change, signed, attack)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await world.login(anna.actor, login.id)).toMatchObject({ state: 'PENDING', grant: null });
    expect(await world.approveBy(phone, anna, login)).toMatchObject({ state: 'APPROVED' });
  });

  test('somebody else`s passkey, and one that was removed, are refused', async () => {
    const bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
    const own = await world.phone(bert);
    await service.settled();
    const login = await world.start(computer);
    expect(await world.approveBy(own, anna, login)).toMatchObject({ __typename: 'ApprovalInvalid' });
    const { mspId, tenantId, technicianId } = bert.told;
    await service.tell('technician-keys-changed', { mspId, tenantId, technicianId, keys: [], version: 9 });
    await service.settled();
    expect(await world.approveBy(own, bert, login)).toMatchObject({ __typename: 'ApprovalInvalid' });
  });
});

describe('what the rules demand', () => {
  const rule = (input: object) => world.rule(customer, input);
  const tagged = async (tag: string) => {
    const made = await world.computer(customer, { tags: [tag] });
    await service.settled();
    return made;
  };

  test('is shown to the technician, checked, and named by field', async () => {
    await rule({ name: 'Tills', deviceTags: ['till'], requireReason: true, requireTicket: true, maxSeconds: 1800, defaultSeconds: 900 });
    const login = await world.start(await tagged('till'));
    expect(await demands(anna, login.id)).toEqual({
      ...{ denied: null, ruleName: 'Tills', requireReason: true, requireTicket: true, approvals: 0, maxSeconds: 1800, defaultSeconds: 900 },
    });
    const durationSeconds = 900;
    const of = (change: object, signed: Partial<LoginApprovalContent>) =>
      world.approveBy(phone, anna, login, change, { durationSeconds, ...signed });
    expect(await of({}, {})).toMatchObject({ __typename: 'InvalidInput', field: 'reason' });
    expect(await of({ reason: 'Printer' }, { reason: 'Printer' })).toMatchObject({ __typename: 'InvalidInput', field: 'ticket' });
    const both = { reason: 'Printer', ticket: 'T-1' };
    expect(await of({ ...both, sessionSeconds: 1801 }, { ...both, durationSeconds: 1801 })).toMatchObject({
      __typename: 'InvalidInput',
      field: 'sessionSeconds',
      message: 'The access rule “Tills” allows at most 1800 seconds.',
    });
    expect(await world.login(anna.actor, login.id)).toMatchObject({ state: 'PENDING' });
    expect(await of(both, both)).toMatchObject({ state: 'APPROVED', sessionSeconds: 900 });
    expect(await service.rows('select rule_name, max_seconds from jit_grant where login_request_id = $1', [login.id])).toEqual([
      { rule_name: 'Tills', max_seconds: 1800 },
    ]);
    expect(await service.audited('login.approved', login.id)).toMatchObject({ details: { rule: 'Tills' } });
  });

  test('a session may be longer than the default, up to the rule`s longest', async () => {
    const login = await world.start(computer);
    expect(await world.approveBy(phone, anna, login, { sessionSeconds: 28_800 }, { durationSeconds: 28_800 })).toMatchObject({
      sessionSeconds: 28_800,
    });
  });

  test('denied: the login stays for somebody else', async () => {
    await rule({ name: 'Nobody', deviceTags: ['vault'], effect: 'DENY' });
    const vault = await tagged('vault');
    const login = await world.start(vault);
    const denied = { __typename: 'AccessDenied', rule: 'Nobody', message: 'The access rule “Nobody” denies it.' };
    expect(await demands(anna, login.id)).toMatchObject({ denied: denied.message, ruleName: 'Nobody' });
    expect(await world.approveBy(phone, anna, login)).toMatchObject(denied);
    expect(await world.login(anna.actor, login.id)).toMatchObject({ state: 'PENDING' });
  });

  test('no rule: denied', async () => {
    const lonely = await world.tenant(null, 'Lonely');
    const carl = await world.technician(lonely);
    const own = await world.phone(carl);
    const there = await world.computer(lonely);
    await service.settled();
    const [first] = await service.rows<{ id: Id }>('select id from access_rule where msp_id = $1', [lonely.mspId]);
    await world.mutate(technicianActor(lonely, 'ADMINISTRATOR'), 'removeAccessRule', '... on AccessRuleRemoved { id }', { id: first?.id });
    const login = await world.start(there);
    expect(await demands(carl, login.id)).toMatchObject({ denied: 'No access rule allows this.', maxSeconds: 0 });
    expect(await world.approveBy(own, carl, login)).toMatchObject({ __typename: 'AccessDenied', rule: null });
  });

  test('nobody but a technician sees demands', async () => {
    const login = await world.start(computer);
    const asked = await world.ask(computer.actor, 'query ($id: ID!) { loginRequest(id: $id) { id demands { denied } } }', { id: login.id });
    expect(asked).toMatchObject({ id: login.id, demands: null });
    expect(await demands({ ...anna, actor: technicianActor(msp, 'AUDITOR') }, login.id)).toBeNull();
  });

  test.each<[string, object, object]>([
    ['a reason', { requireReason: true }, { state: 'FAILED', failure: expect.stringContaining('Use the QR code') }],
    ['a ticket', { requireTicket: true }, { state: 'FAILED', failure: expect.stringContaining('a ticket') }],
    ['an approval', { approvals: 1 }, { state: 'AWAITING_APPROVAL', failure: null }],
    ['nothing but brevity', { maxSeconds: 300 }, { state: 'APPROVED', sessionSeconds: 300 }],
    ['denial', { effect: 'DENY' }, { state: 'FAILED', failure: expect.stringContaining('denies it') }],
  ])('a code from an authenticator app where the rule demands %s', async (name, input, expected) => {
    const tag = name.replaceAll(' ', '-');
    await rule({ name, deviceTags: [tag], ...input });
    await world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
      ...{ tenantId: customer.tenantId, totpLogin: true },
    });
    const there = await tagged(tag);
    const login = await world.start(there, 'TOTP');
    const { mspId, tenantId } = customer;
    const ids = { loginRequestId: login.id, deviceId: there.actor.id, technicianId: anna.actor.id };
    await service.tell('totp-accepted', { mspId, tenantId, ...ids });
    await service.settled();
    expect(await world.login(anna.actor, login.id)).toMatchObject(expected);
  });
});

test('the id of a grant is told with the approval', async () => {
  const approved = await world.approveBy(phone, anna, await world.start(computer));
  expect(await world.grant(anna, idOf(approved['grant']))).toMatchObject({ state: 'APPROVED' });
});
