import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Actor, LoginApprovalContent, Payload } from '@stint/contracts';
import type { PasskeyEmulator } from '@stint/passkey-emulator';
import { eventually } from '@stint/testing';
import {
  accessRequestFields,
  technicianActor,
  World,
  type Computer,
  type StartedLogin,
  type Technician,
  type Thing,
} from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

interface Person {
  technician: Technician;
  phone: PasskeyEmulator;
}

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
const bosses = oldId();
let anna: Person;
let bert: Person;
let carl: Person;
let dora: Person;
/** On these one other person must approve, two others, one of the bosses. */
let single: Computer;
let double: Computer;
let ofBosses: Computer;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  await service.tell('group-changed', { mspId: msp.mspId, tenantId: msp.tenantId, groupId: bosses, name: 'Bosses', version: 1 });
  [anna, bert] = [await person('anna'), await person('bert')];
  [carl, dora] = [await person('carl', [bosses]), await person('dora', [bosses])];
  await service.settled();
  await world.rule(customer, { name: 'One', deviceTags: ['one'], approvals: 1, maxSeconds: 7200 });
  await world.rule(customer, { name: 'Two', deviceTags: ['two'], approvals: 2 });
  await world.rule(customer, { name: 'Bosses', deviceTags: ['bosses'], approvals: 1, approverGroup: bosses });
});
beforeEach(async () => {
  const tagged = (tag: string) => world.computer(customer, { tags: [tag] });
  [single, double, ofBosses] = [await tagged('one'), await tagged('two'), await tagged('bosses')];
  await service.settled();
});
afterAll(() => service.close());

async function person(name: string, groupIds: Id[] = []): Promise<Person> {
  const technician = await world.technician(msp, 'TECHNICIAN', { email: `${name}@example.com`, displayName: name, groupIds });
  return { technician, phone: await world.phone(technician) };
}

interface Asked {
  id: Id;
  login: StartedLogin;
  content: LoginApprovalContent;
}

/** Anna has approved a login at the computer, which now waits for other people. */
async function asked(computer: Computer, choice: { sessionSeconds?: number; reason?: string } = {}): Promise<Asked> {
  const login = await world.start(computer);
  const durationSeconds = choice.sessionSeconds ?? 3600;
  const reason = choice.reason ?? null;
  const answer = await world.approveBy(anna.phone, anna.technician, login, choice, { durationSeconds, reason });
  expect(answer).toMatchObject({ __typename: 'LoginRequest', state: 'AWAITING_APPROVAL', grant: null });
  const content: LoginApprovalContent = {
    ...{ ...login.content, purpose: 'second-approval', technicianId: anna.technician.actor.id, accountKind: 'LOCAL' },
    ...{ durationSeconds, reason },
  };
  return { id: await world.requestOf(anna.technician, login), login, content };
}

async function approve(
  by: Person,
  about: Asked,
  change: { sessionSeconds?: number } = {},
  signed: Partial<LoginApprovalContent> = {},
  attack: Parameters<World['assertion']>[2] = {},
): Promise<Thing> {
  const durationSeconds = change.sessionSeconds ?? about.content.durationSeconds;
  const assertion = await world.assertion(by.phone, { ...about.content, durationSeconds, ...signed }, attack);
  return send(by.technician.actor, 'approveAccess', { id: about.id, assertion, ...change });
}
const send = (by: Actor, name: string, input: object) => world.mutate(by, name, `... on AccessRequest { ${accessRequestFields} }`, input);
const deny = (by: Person, id: Id, reason = 'Not today.') => send(by.technician.actor, 'denyAccess', { id, reason });
const cancel = (by: Person, id: Id) => send(by.technician.actor, 'cancelAccess', { id });
const stateOf = async (about: Asked) => [
  (await world.accessRequest(anna.technician, about.id))['state'],
  (await world.login(anna.technician.actor, about.login.id))['state'],
];
const grantsOf = ({ login }: Asked) =>
  service.rows<{ id: Id; session_seconds: number }>('select id, session_seconds from jit_grant where login_request_id = $1', [login.id]);

describe('where other people must approve', () => {
  test('nothing is granted until they have; then the grant follows, with everybody`s proof', async () => {
    const about = await asked(double, { reason: 'Printer' });
    expect(await grantsOf(about)).toEqual([]);
    expect((await world.desired(double)).accounts).toEqual([]);
    expect(await world.accessRequest(bert.technician, about.id)).toMatchObject({
      ...{ state: 'PENDING', ruleName: 'Two', needed: 2, approverGroup: null, sessionSeconds: 3600, reason: 'Printer', approvals: [] },
      ...{ requester: { id: anna.technician.actor.id }, device: { id: double.actor.id }, tenant: { id: customer.tenantId } },
      loginRequest: { id: about.login.id, state: 'AWAITING_APPROVAL', shownNumber: about.content.shownNumber, hostName: 'ws-07' },
    });
    expect(await service.audited('access.requested', about.id)).toMatchObject({
      actorId: anna.technician.actor.id,
      details: { loginRequestId: about.login.id, needed: 2, rule: 'Two', reason: 'Printer' },
    });

    expect(await approve(bert, about)).toMatchObject({ state: 'PENDING', approvals: [{ approver: { id: bert.technician.actor.id } }] });
    expect(await grantsOf(about)).toEqual([]);
    expect(await approve(carl, about)).toMatchObject({ state: 'APPROVED', loginRequest: { state: 'APPROVED' } });
    const [grant] = await grantsOf(about);
    expect((await world.desired(double)).accounts).toMatchObject([{ state: 'ENABLED', grants: [{ grantId: grant?.id }] }]);
    await eventually(() => expect(service.nudges).toContain(double.actor.id));
    expect(await service.audited('login.approved', about.login.id)).toMatchObject({
      actorId: anna.technician.actor.id,
      details: { accessRequestId: about.id, approvers: `${bert.technician.actor.id}, ${carl.technician.actor.id}`, rule: 'Two' },
    });
    const proofs = await service.rows<{ proof: { content: LoginApprovalContent } }>(
      'select proof from access_approval where access_request_id = $1',
      [about.id],
    );
    expect(proofs.map(({ proof }) => proof.content)).toEqual([about.content, about.content]);
    const [kept] = await service.rows('select approval_proof as proof from jit_grant where id = $1', [grant?.id]);
    expect(kept).toMatchObject({ proof: { by: 'passkey', content: { ...about.content, purpose: 'login' } } });
  });

  test('approvers only shorten, and the shortest counts', async () => {
    const about = await asked(double);
    expect(await approve(bert, about, { sessionSeconds: 3601 })).toMatchObject({ __typename: 'InvalidInput', field: 'sessionSeconds' });
    expect(await approve(bert, about, { sessionSeconds: 1800 })).toMatchObject({ sessionSeconds: 1800 });
    // Carl saw 3600 seconds, which it is not any more.
    expect(await approve(carl, about)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await approve(carl, about, { sessionSeconds: 600 })).toMatchObject({ state: 'APPROVED', sessionSeconds: 600 });
    expect(await grantsOf(about)).toMatchObject([{ session_seconds: 600 }]);
    expect(await world.login(anna.technician.actor, about.login.id)).toMatchObject({ sessionSeconds: 600 });
  });

  test('each counts once, and the requester never', async () => {
    const about = await asked(double);
    expect(await approve(anna, about)).toMatchObject({ __typename: 'NotAnApprover' });
    expect(await deny(anna, about.id)).toMatchObject({ __typename: 'NotAnApprover' });
    await approve(bert, about);
    expect(await approve(bert, about)).toMatchObject({ state: 'PENDING', approvals: [{}] });
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
  });

  test('only members of the approver group, as they are at the time', async () => {
    const about = await asked(ofBosses);
    expect(await approve(bert, about)).toMatchObject({ __typename: 'NotAnApprover' });
    expect(await deny(bert, about.id)).toMatchObject({ __typename: 'NotAnApprover' });
    const eve = await person('eve', [bosses]);
    await service.settled();
    await service.tell('technician-changed', { ...eve.technician.told, groupIds: [], version: 2 });
    await service.settled();
    expect(await approve(eve, about)).toMatchObject({ __typename: 'NotAnApprover' });
    expect(await approve(dora, about)).toMatchObject({ state: 'APPROVED' });
  });

  test('the customer`s own approver, who does not reach the requester`s home', async () => {
    const about = await asked(single);
    const local = await world.technician(customer, 'ADMINISTRATOR', { email: 'local@example.com', displayName: 'local' });
    const own = { technician: local, phone: await world.phone(local) };
    await service.settled();
    expect(await approve(own, about)).toMatchObject({ state: 'APPROVED', requester: { id: anna.technician.actor.id } });
    expect(await deny(own, about.id)).toMatchObject({ __typename: 'Conflict' });
    expect(await grantsOf(about)).toHaveLength(1);
  });

  test('of many last approvals at once one makes the grant', async () => {
    for (let round = 0; round < 5; round += 1) {
      const about = await asked(single);
      const answers = await Promise.all([bert, carl, dora, bert, carl, dora].map((one) => approve(one, about)));
      const approvals = answers.filter(({ __typename }) => __typename === 'AccessRequest');
      expect(approvals.length).toBeGreaterThan(0);
      expect(await world.accessRequest(anna.technician, about.id)).toMatchObject({ state: 'APPROVED', approvals: [{}] });
      expect(await grantsOf(about)).toHaveLength(1);
    }
  });

  test('approval, denial, cancellation at the phone and at the computer at once: one of them wins', async () => {
    for (let round = 0; round < 8; round += 1) {
      const about = await asked(single);
      const atComputer = () => world.mutate(single.actor, 'cancelLogin', '... on LoginRequest { __typename }', { id: about.login.id });
      await Promise.all([approve(bert, about), deny(carl, about.id), cancel(anna, about.id), atComputer()]);
      const [request, login] = await stateOf(about);
      expect([
        ['APPROVED', 'APPROVED'],
        ['DENIED', 'DENIED'],
        ['CANCELLED', 'FAILED'],
      ]).toContainEqual([request, login]);
      expect(await grantsOf(about)).toHaveLength(request === 'APPROVED' ? 1 : 0);
    }
  });

  test.each<[string, Partial<LoginApprovalContent>]>([
    ['the requester`s own purpose', { purpose: 'login' }],
    ['another login', { loginRequestId: newId() }],
    ['somebody else`s access', { technicianId: newId() }],
    ['another computer', { hostName: 'dc-01' }],
    ['another reason', { reason: 'Printer' }],
    ['a longer session', { durationSeconds: 7200 }],
  ])('a signature over %s is refused', async (_, signed) => {
    const about = await asked(single);
    expect(await approve(bert, about, {}, signed)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
  });

  test.each<[string, Parameters<World['assertion']>[2]]>([
    ['without user verification', { userVerified: false }],
    ['without a touch', { userPresent: false }],
    ['for another site', { origin: 'https://stint.example.evil.example' }],
    ['for another relying party', { rpId: 'evil.example' }],
    ['over another challenge', { challenge: Buffer.alloc(32).toString('base64url') }],
  ])('an approval %s is refused', async (_, attack) => {
    const about = await asked(single);
    expect(await approve(bert, about, {}, {}, attack)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
    expect(await grantsOf(about)).toEqual([]);
  });

  test('an approval counts for its own request only, though the next one looks the same', async () => {
    const about = await asked(single);
    const assertion = await world.assertion(bert.phone, about.content);
    const other = await world.computer(customer, { tags: ['one'] });
    await service.settled();
    const again = await asked(other);
    expect(await send(bert.technician.actor, 'approveAccess', { id: again.id, assertion })).toMatchObject({
      __typename: 'ApprovalInvalid',
    });
    expect(await send(bert.technician.actor, 'approveAccess', { id: about.id, assertion })).toMatchObject({ state: 'APPROVED' });
    // Used up: said again it changes nothing.
    expect(await send(bert.technician.actor, 'approveAccess', { id: about.id, assertion })).toMatchObject({
      state: 'APPROVED',
      approvals: [{}],
    });
    expect(await grantsOf(about)).toHaveLength(1);
  });

  test('the requester`s assertion cannot be used by anybody as an approval', async () => {
    const about = await asked(single);
    const assertion = await world.assertion(anna.phone, about.content);
    expect(await send(bert.technician.actor, 'approveAccess', { id: about.id, assertion })).toMatchObject({
      __typename: 'ApprovalInvalid',
    });
  });

  test('who may not approve in the tenant cannot', async () => {
    const about = await asked(single);
    const auditor = technicianActor(msp, 'AUDITOR', bert.technician.actor.id);
    await expect(send(auditor, 'approveAccess', { id: about.id, assertion: '{}' })).rejects.toThrow('FORBIDDEN');
    // Still named by the gateway, but our copy knows better.
    const former = await person('former');
    await service.settled();
    await service.tell('technician-changed', {
      ...former.technician.told,
      assignments: [{ tenantId: oldId(), role: 'TECHNICIAN' }],
      version: 2,
    });
    await service.settled();
    await expect(approve(former, about)).rejects.toThrow('FORBIDDEN');
  });
});

describe('it ends without a grant', () => {
  test('by one no, with its reason', async () => {
    const about = await asked(double);
    await approve(bert, about);
    expect(await deny(carl, about.id, ' ')).toMatchObject({ __typename: 'InvalidInput', field: 'reason' });
    expect(await deny(carl, about.id, ' Not today. ')).toMatchObject({
      ...{ state: 'DENIED', endedWhy: 'Not today.', endedBy: { id: carl.technician.actor.id }, loginRequest: { state: 'DENIED' } },
    });
    expect(await deny(carl, about.id)).toMatchObject({ state: 'DENIED', endedWhy: 'Not today.' });
    expect(await approve(dora, about)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('was denied') });
    expect(await service.audited('access.denied', about.id)).toMatchObject({
      actorId: carl.technician.actor.id,
      details: { why: 'Not today.' },
    });
    expect(await service.audited('login.denied', about.login.id)).toMatchObject({ tenantId: customer.tenantId });
  });

  test('when its requester takes it back', async () => {
    const about = await asked(single);
    expect(await cancel(bert, about.id)).toMatchObject({ __typename: 'NotFound' });
    expect(await cancel(anna, about.id)).toMatchObject({ state: 'CANCELLED', endedWhy: 'The requester took it back.' });
    expect(await cancel(anna, about.id)).toMatchObject({ state: 'CANCELLED' });
    expect(await approve(bert, about)).toMatchObject({ __typename: 'Conflict' });
    expect(await world.login(single.actor, about.login.id)).toMatchObject({ state: 'FAILED', failure: 'The requester took it back.' });
    expect(await service.audited('access.cancelled', about.id)).toMatchObject({ actorId: anna.technician.actor.id });
  });

  test('when it is cancelled at the computer', async () => {
    const about = await asked(single);
    const cancelled = await world.mutate(single.actor, 'cancelLogin', '... on LoginRequest { __typename state failure }', {
      id: about.login.id,
    });
    expect(cancelled).toMatchObject({ state: 'FAILED', failure: 'It was cancelled at the computer.' });
    expect(await stateOf(about)).toEqual(['CANCELLED', 'FAILED']);
    expect(await service.audited('access.cancelled', about.id)).toMatchObject({ actorKind: 'device', actorId: single.actor.id });
  });

  test('when the computer is revoked', async () => {
    const about = await asked(single);
    await service.tell('device-changed', { ...single.told, active: false, version: 2 });
    await service.settled();
    expect(await stateOf(about)).toEqual(['CANCELLED', 'FAILED']);
    expect(await approve(bert, about)).toMatchObject({ __typename: 'Conflict' });
  });

  test('but not by the next login at the computer, which has its own', async () => {
    const about = await asked(single);
    const next = await asked(single);
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
    expect(await approve(bert, about)).toMatchObject({ state: 'APPROVED' });
    expect(await approve(bert, next)).toMatchObject({ state: 'APPROVED' });
  });

  test('when its time is over, to the millisecond, whether or not a sweep has run; the time is the tenant`s setting', async () => {
    await world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
      ...{ tenantId: customer.tenantId, requestLifeSeconds: 600 },
    });
    const about = await asked(single);
    service.clock.advance(599.999);
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
    service.clock.advance(0.001);
    expect(await stateOf(about)).toEqual(['EXPIRED', 'EXPIRED']);
    expect(await approve(bert, about)).toMatchObject({ __typename: 'Conflict', message: expect.stringContaining('has expired') });
    expect(await service.audited('access.expired', about.id)).toMatchObject({ actorKind: 'system' });
    expect(await service.audited('login.expired', about.login.id)).toMatchObject({ actorKind: 'system' });
  });
});

describe('everything is looked at again at the last approval', () => {
  test('the thresholds are those of the rule when it was asked for', async () => {
    const about = await asked(single);
    const [rule] = await service.rows<{ id: Id }>(`select id from access_rule where name = 'One'`);
    const change = (input: object) =>
      world.mutate(technicianActor(customer, 'ADMINISTRATOR'), 'updateAccessRule', '... on AccessRule { id }', { id: rule?.id, ...input });
    await change({ approvals: 5, maxSeconds: 60 });
    expect(await world.accessRequest(bert.technician, about.id)).toMatchObject({ needed: 1, sessionSeconds: 3600 });
    expect(await approve(bert, about)).toMatchObject({ state: 'APPROVED', sessionSeconds: 3600 });
    await change({ approvals: 1, maxSeconds: 7200 });
  });

  test('outside of the hours nothing is granted, and it waits on', async () => {
    const now = service.clock.now();
    const hour = (offset: number) => new Date(now.getTime() + offset * 3_600_000).toISOString().slice(11, 13);
    const hours = [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: `${hour(-1)}:00`, to: `${hour(1)}:00` }];
    await world.rule(customer, { name: 'Now', deviceTags: ['now'], approvals: 1, hours, timeZone: 'UTC' });
    await world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateJitSettings', '... on Tenant { __typename }', {
      ...{ tenantId: customer.tenantId, requestLifeSeconds: 86_400 },
    });
    const computer = await world.computer(customer, { tags: ['now'] });
    await service.settled();
    const about = await asked(computer);
    service.clock.advance(2 * 3600);
    expect(await approve(bert, about)).toMatchObject({
      __typename: 'AccessDenied',
      message: expect.stringContaining('does not allow it now'),
    });
    expect(await stateOf(about)).toEqual(['PENDING', 'AWAITING_APPROVAL']);
    expect(await world.accessRequest(bert.technician, about.id)).toMatchObject({ approvals: [] });
    service.clock.advance(22 * 3600 - 60);
    expect(await approve(bert, about)).toMatchObject({ state: 'APPROVED' });
  });
});

test('a tenant`s requests are listed, newest first, those that are over included', async () => {
  const about = await asked(single);
  const query =
    'query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Tenant { accessRequests(first: 3) { edges { node { id state } } pageInfo { hasNextPage } } } } }';
  const answer = await service.send(anna.technician.actor, query, { refs: [{ __typename: 'Tenant', id: customer.tenantId }] });
  const [tenant] = answer.data?.['_entities'] as { accessRequests: { edges: { node: Thing }[] } }[];
  expect(tenant?.accessRequests.edges[0]?.node).toEqual({ id: about.id, state: 'PENDING' });
  expect(tenant?.accessRequests).toMatchObject({ edges: [{}, {}, {}], pageInfo: { hasNextPage: true } });
});
