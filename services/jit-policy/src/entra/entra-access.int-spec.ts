import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import { permissions, type Actor, type EntraApprovalContent, type Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { EntraDesk, type EntraInput } from '../testing/entra-desk.ts';
import { accessRequestFields, idOf, technicianActor, World, type Technician, type Thing } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let desk: EntraDesk;
let anna: Technician;
let bert: Technician;
let carl: Technician;
const bosses = oldId();

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  desk = new EntraDesk(world, customer);
  await service.tell('group-changed', { mspId: msp.mspId, tenantId: msp.tenantId, groupId: bosses, name: 'Bosses', version: 1 });
  const person = (email: string, groupIds: Id[] = []) => world.technician(msp, 'TECHNICIAN', { email, displayName: email, groupIds });
  [anna, bert, carl] = [await person('anna@example.com'), await person('bert@example.com'), await person('carl@example.com', [bosses])];
  await service.settled();
  const rule = (name: string, entraRoles: string[], more: object = {}) =>
    world.rule(customer, { name, kinds: ['ENTRA_ROLE'], entraRoles, ...more });
  await rule('Users', ['User Administrator'], { maxSeconds: 7200 });
  await rule('Careful', ['Exchange Administrator'], { requireReason: true, requireTicket: true, maxSeconds: 1800 });
  await rule('Two people', ['Security Administrator'], { approvals: 2, maxSeconds: 7200 });
  await rule('Bosses', ['Teams Administrator'], { approvals: 1, approverGroup: bosses });
  await rule('Never', ['Billing Administrator'], { effect: 'DENY' });
});
beforeEach(() => desk.connect());
afterAll(() => service.close());

const grantsWith = (id: Id) => service.rows('select state, max_seconds from jit_grant where id = $1', [id]);
const waiting = (change: Partial<EntraInput> = {}) => desk.ask(anna, desk.input({ roleName: 'Security Administrator', ...change }));
const send = (by: Technician, name: string, input: object): Promise<Thing> =>
  world.mutate(by.actor, name, `... on AccessRequest { ${accessRequestFields} }`, input);

describe('access in Entra is asked for', () => {
  test('and granted as the rule says; the connector is told in the same transaction, the log too', async () => {
    const scope = '/administrativeUnits/0a1b2c3d-0000-4000-8000-0123456789ab';
    const input = desk.input({ roleName: 'user administrator', scope, accountKind: 'OWN', reason: 'Mailbox', ticket: 'T-1' });
    const grant = await desk.ask(anna, input);
    expect(grant).toMatchObject({
      ...{ __typename: 'Grant', id: input.id, state: 'APPROVED', entraRole: 'user administrator', entraScope: scope },
      ...{ entraAccountKind: 'OWN', accountName: null, reason: 'Mailbox', ticket: 'T-1', activeAt: null, expiresAt: null, device: null },
      ...{ technician: { id: anna.actor.id }, tenant: { id: customer.tenantId } },
    });
    await eventually(() =>
      expect(desk.told(input.id)).toEqual([
        {
          ...{ mspId: msp.mspId, tenantId: customer.tenantId, grantId: input.id, technicianId: anna.actor.id, wanted: true },
          ...{ roleName: 'user administrator', scope, accountKind: 'OWN', recipientKey: input.recipientKey, sessionSeconds: 3600 },
          ...{ reason: 'Mailbox', ticket: 'T-1', accountPrefix: 'jit-', accountRestDays: 30 },
          ...{ activateBy: new Date(Date.parse(String(grant['approvedAt'])) + 900_000).toISOString(), expiresAt: null, version: 1 },
        },
      ]),
    );
    expect(await service.audited('grant.approved', input.id)).toMatchObject({
      actorId: anna.actor.id,
      details: { role: 'user administrator', scope, accountKind: 'OWN', sessionSeconds: 3600, reason: 'Mailbox', rule: 'Users' },
    });
    const [row] = await service.rows('select approval_proof as proof, rule_name, max_seconds from jit_grant where id = $1', [input.id]);
    expect(row).toMatchObject({ rule_name: 'Users', max_seconds: 7200, proof: { by: 'passkey', content: desk.content(anna, input) } });
  });

  test('the same call again answers the same, whatever has happened since; another content is a conflict', async () => {
    const input = desk.input();
    const first = await desk.ask(anna, input);
    await desk.connect(false, 'The secret has expired.');
    await service.tell('tenant-changed', { ...customer, name: 'Contoso Group', version: 2 });
    await service.settled();
    expect(await desk.ask(anna, input)).toEqual(first);
    await service.tell('tenant-changed', { ...customer, version: 3 });
    await service.settled();
    const others: Partial<EntraInput>[] = [
      ...[
        { roleName: 'Exchange Administrator' },
        { sessionSeconds: 60 },
        { reason: 'x' },
        { ticket: 'x' },
        { accountKind: 'OWN' as const },
      ],
      ...[{ recipientKey: 'l'.repeat(43) }, { scope: '/0a1b2c3d-0000-4000-8000-0123456789ab' }],
    ];
    for (const other of others) expect(await desk.ask(anna, { ...input, ...other })).toMatchObject({ __typename: 'Conflict' });
    expect(await desk.ask(bert, input)).toMatchObject({ __typename: 'Conflict' });
    await desk.connect();
    const sibling = await world.tenant(msp, 'Sibling');
    await service.settled();
    await world.rule(sibling, { name: 'There', kinds: ['ENTRA_ROLE'], entraRoles: ['User Administrator'] });
    const there = new EntraDesk(world, sibling);
    await there.connect();
    expect(await there.ask(anna, { ...input, tenantId: sibling.tenantId })).toMatchObject({ __typename: 'Conflict' });
    expect(await grantsWith(input.id)).toHaveLength(1);
    expect(service.audits.filter(({ action, subjectId }) => action === 'grant.approved' && subjectId === input.id)).toHaveLength(1);
  });

  test('of the same call many times at once one makes the grant, and all answer it', async () => {
    const input = desk.input();
    const answers = await Promise.all(Array.from({ length: 8 }, () => desk.ask(anna, input)));
    for (const answer of answers) expect(answer).toMatchObject({ __typename: 'Grant', id: input.id, state: 'APPROVED' });
    await eventually(() => expect(desk.told(input.id)).toHaveLength(1));
  });

  test('with the id of a grant on a device it is a conflict', async () => {
    const computer = await world.computer(customer);
    await service.settled();
    const id = await world.granted(anna, computer);
    expect(await desk.ask(anna, desk.input({ id }))).toMatchObject({ __typename: 'Conflict' });
  });

  test('by a technician who was made a moment ago, in a tenant that was', async () => {
    const fresh = await world.tenant(msp, 'Fresh', newId());
    const dora = await world.technician(msp, 'TECHNICIAN', { technicianId: newId(), email: 'dora@example.com' });
    await world.rule(msp, { name: 'Everywhere', kinds: ['ENTRA_ROLE'], entraRoles: ['Groups Administrator'] });
    const there = new EntraDesk(world, fresh);
    const answer = await there.ask(dora, there.input({ roleName: 'Groups Administrator' }));
    expect(answer).toMatchObject({ __typename: 'EntraNotConnected' });
  });
});

describe('asking for access in Entra is refused', () => {
  test('where the tenant is not connected, or not usable, with the connector`s words, until it is', async () => {
    const other = await world.tenant(msp, 'Unconnected');
    await service.settled();
    await world.rule(other, { name: 'There', kinds: ['ENTRA_ROLE'], entraRoles: ['User Administrator'] });
    const there = new EntraDesk(world, other);
    const input = there.input();
    expect(await there.ask(anna, input)).toMatchObject({
      __typename: 'EntraNotConnected',
      message: expect.stringContaining('not connected'),
    });
    await there.connect(false, 'The secret has expired: an administrator must replace it.');
    expect(await there.ask(anna, input)).toEqual({
      __typename: 'EntraNotConnected',
      message: 'The secret has expired: an administrator must replace it.',
    });
    expect(await grantsWith(input.id)).toEqual([]);
    await there.connect();
    expect(await there.ask(anna, input)).toMatchObject({ __typename: 'Grant' });
  });

  test.each([
    ['a role that no rule names', 'Helpdesk Administrator', null],
    ['Global Administrator, which nobody named', 'Global Administrator', null],
    ['a role that a rule denies', 'Billing Administrator', 'Never'],
  ])('for %s', async (_, roleName, rule) => {
    const input = desk.input({ roleName });
    expect(await desk.ask(anna, input)).toMatchObject({ __typename: 'AccessDenied', rule });
    expect(await grantsWith(input.id)).toEqual([]);
    expect(await service.rows('select 1 from access_request where id = $1', [input.id])).toEqual([]);
  });

  test('Global Administrator is for whom a rule names it, and no rule allows every role', async () => {
    const id = await world.rule(customer, {
      name: 'Global',
      kinds: ['ENTRA_ROLE'],
      entraRoles: ['Global Administrator'],
      groups: [bosses],
    });
    expect(await desk.ask(anna, desk.input({ roleName: 'Global Administrator' }))).toMatchObject({ __typename: 'AccessDenied' });
    expect(await desk.ask(carl, desk.input({ roleName: 'Global Administrator' }))).toMatchObject({ __typename: 'Grant' });
    const all = { id, entraRoles: [] };
    const answer = world.mutate(technicianActor(msp, 'ADMINISTRATOR'), 'updateAccessRule', '... on AccessRule { __typename }', all);
    expect(await answer).toMatchObject({ __typename: 'InvalidInput', field: 'entraRoles' });
  });

  test('without what the rule demands, and as long as nobody may have it', async () => {
    const ask = (change: Partial<EntraInput>) => desk.ask(anna, desk.input({ roleName: 'Exchange Administrator', ...change }));
    const [reason, ticket] = ['Mail flow', 'T-1'];
    const enough = { reason, ticket, sessionSeconds: 1800 };
    const refused: [Partial<EntraInput>, string][] = [
      [{ ticket, sessionSeconds: 1800 }, 'reason'],
      [{ reason, sessionSeconds: 1800 }, 'ticket'],
      [{ ...enough, sessionSeconds: 1801 }, 'sessionSeconds'],
    ];
    for (const [change, field] of refused) expect(await ask(change)).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await ask(enough)).toMatchObject({ __typename: 'Grant' });
  });

  test.each<[string, object]>([
    ['id', { id: 'x' }],
    ['roleName', { roleName: ' ' }],
    ['roleName', { roleName: 'A'.repeat(101) }],
    ['roleName', { roleName: 'User\u202eAdministrator' }],
    ['scope', { scope: 'everywhere' }],
    ['scope', { scope: '/administrativeUnits/' }],
    ['sessionSeconds', { sessionSeconds: 59 }],
    ['sessionSeconds', { sessionSeconds: 28_801 }],
    ['recipientKey', { recipientKey: 'x' }],
    ['reason', { reason: '\u0000' }],
  ])('with a wrong %s: %j', async (field, change) => {
    expect(await desk.send(anna, { ...desk.input(), assertion: '{}', ...change })).toMatchObject({ __typename: 'InvalidInput', field });
  });

  test.each<[string, Partial<EntraApprovalContent>]>([
    ['another role', { roleName: 'Global Administrator' }],
    ['another scope', { scope: '/0a1b2c3d-0000-4000-8000-0123456789ab' }],
    ['another tenant', { tenantId: oldId() }],
    ['another name of the customer', { tenantName: 'Fabrikam' }],
    ['another account', { accountKind: 'OWN' }],
    ['another recipient', { recipientKey: 'l'.repeat(43) }],
    ['another duration', { durationSeconds: 60 }],
    ['another grant', { grantId: oldId() }],
    ['another person', { technicianId: oldId() }],
    ['another reason', { reason: 'Other' }],
    ['another purpose', { purpose: 'entra-second-approval' }],
  ])('with a signature over %s', async (_, signed) => {
    const input = desk.input();
    expect(await desk.ask(anna, input, signed)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await grantsWith(input.id)).toEqual([]);
  });

  test('with a passkey that checked nobody, a foreign one, or none', async () => {
    const input = desk.input();
    expect(await desk.ask(anna, input, {}, { userVerified: false })).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await desk.ask({ ...anna, phone: bert.phone }, input)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await desk.send(anna, { ...input, assertion: '{}' })).toMatchObject({ __typename: 'ApprovalInvalid' });
  });

  test('to whom it does not concern', async () => {
    await expect(desk.ask({ ...anna, actor: technicianActor(msp, 'AUDITOR', anna.actor.id) }, desk.input())).rejects.toThrow('FORBIDDEN');
    const client: Actor = {
      ...{ kind: 'client', id: oldId(), mspId: msp.mspId, tenantId: msp.tenantId },
      access: [{ tenantId: msp.tenantId, permissions: [...permissions] }],
    };
    await expect(desk.send({ actor: client }, { ...desk.input(), assertion: '{}' })).rejects.toThrow('FORBIDDEN');
    const stranger = await world.technician(await world.tenant(null, 'Fabrikam'));
    await service.settled();
    expect(await desk.ask(stranger, desk.input())).toMatchObject({ __typename: 'NotFound' });
  });
});

describe('where other people must approve access in Entra', () => {
  test('it waits for them, hints them, and is granted with the last yes for the shortest time', async () => {
    service.technicianNudges.length = 0;
    const request = await waiting({ reason: 'Incident' });
    const id = idOf(request);
    expect(request).toMatchObject({
      ...{ __typename: 'AccessRequest', state: 'PENDING', needed: 2, ruleName: 'Two people', sessionSeconds: 3600, reason: 'Incident' },
      ...{ requester: { id: anna.actor.id }, tenant: { id: customer.tenantId }, device: null, loginRequest: null },
      entra: {
        tenantName: customer.name,
        roleName: 'Security Administrator',
        scope: '/',
        accountKind: 'JIT',
        recipientKey: 'k'.repeat(43),
      },
    });
    await eventually(() => expect(service.technicianNudges).toEqual(expect.arrayContaining([bert.actor.id, carl.actor.id])));
    expect(service.technicianNudges).not.toContain(anna.actor.id);
    const ofBert = await world.ask(bert.actor, '{ waiting { accessRequests { id entra { roleName } } } }');
    expect(ofBert['accessRequests']).toContainEqual({ id, entra: { roleName: 'Security Administrator' } });
    expect(await grantsWith(id)).toEqual([]);
    expect(desk.told(id)).toEqual([]);
    expect(await service.audited('access.requested', id)).toMatchObject({
      details: { role: 'Security Administrator', scope: '/', needed: 2, rule: 'Two people', reason: 'Incident' },
    });

    expect(await desk.approve(anna, request)).toMatchObject({ __typename: 'NotAnApprover' });
    expect(await desk.approve(bert, request, { sessionSeconds: 1800 })).toMatchObject({ state: 'PENDING' });
    const now = { ...request, sessionSeconds: 1800 };
    expect(await desk.approve(carl, request)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await desk.approve(carl, now)).toMatchObject({ state: 'APPROVED' });
    // More of it is theirs to decide too.
    expect(await grantsWith(id)).toEqual([{ state: 'APPROVED', max_seconds: 1800 }]);
    await eventually(() => expect(desk.told(id)).toMatchObject([{ wanted: true, sessionSeconds: 1800, version: 1 }]));
    expect(await service.audited('grant.approved', id)).toMatchObject({
      details: { role: 'Security Administrator', rule: 'Two people', approvers: `${bert.actor.id}, ${carl.actor.id}` },
    });
    expect(await waiting({ id, reason: 'Incident' })).toMatchObject({ __typename: 'Grant', id });
  });

  test('the same call again answers the request', async () => {
    const input = desk.input({ roleName: 'Security Administrator' });
    const first = await desk.ask(anna, input);
    expect(await desk.ask(anna, input)).toEqual(first);
    expect(await desk.ask(anna, { ...input, sessionSeconds: 60 })).toMatchObject({ __typename: 'Conflict' });
    expect(await desk.ask(bert, input)).toMatchObject({ __typename: 'Conflict' });
  });

  test.each<[string, Partial<EntraApprovalContent>]>([
    ['another role', { roleName: 'Global Administrator' }],
    ['another scope', { scope: '/0a1b2c3d-0000-4000-8000-0123456789ab' }],
    ['another tenant', { tenantId: oldId() }],
    ['another recipient', { recipientKey: 'l'.repeat(43) }],
    ['another request', { grantId: oldId() }],
    ['the technician`s own purpose', { purpose: 'entra-access' }],
  ])('a signature over %s is refused', async (_, signed) => {
    const request = await waiting();
    expect(await desk.approve(bert, request, {}, signed)).toMatchObject({ __typename: 'ApprovalInvalid' });
    expect(await world.accessRequest(bert, idOf(request))).toMatchObject({ state: 'PENDING', approvals: [] });
  });

  test('one no is enough; it can be taken back; it expires', async () => {
    const denied = await waiting();
    expect(await send(bert, 'denyAccess', { id: idOf(denied), reason: 'Not today.' })).toMatchObject({ state: 'DENIED' });
    expect(await desk.approve(bert, denied)).toMatchObject({ __typename: 'Conflict' });
    expect(await service.audited('access.denied', idOf(denied))).toMatchObject({ details: { role: 'Security Administrator' } });
    const taken = await waiting();
    expect(await send(anna, 'cancelAccess', { id: idOf(taken) })).toMatchObject({ state: 'CANCELLED' });
    const expiring = await waiting();
    service.clock.advance(3600);
    await service.audited('access.expired', idOf(expiring));
    expect(await world.accessRequest(anna, idOf(expiring))).toMatchObject({ state: 'EXPIRED' });
    expect(await desk.approve(bert, expiring)).toMatchObject({ __typename: 'Conflict' });
    for (const one of [denied, taken, expiring]) expect(await grantsWith(idOf(one))).toEqual([]);
  });

  test('only members of the approver group', async () => {
    const request = await desk.ask(anna, desk.input({ roleName: 'Teams Administrator' }));
    expect(await desk.approve(bert, request)).toMatchObject({ __typename: 'NotAnApprover' });
    expect(await desk.approve(carl, request)).toMatchObject({ state: 'APPROVED' });
  });

  test('at the last yes the connection counts again', async () => {
    const request = await desk.ask(anna, desk.input({ roleName: 'Teams Administrator' }));
    await desk.connect(false, 'The consent was taken back.');
    expect(await desk.approve(carl, request)).toEqual({
      __typename: 'EntraNotConnected',
      message: 'The consent was taken back.',
    });
    expect(await world.accessRequest(anna, idOf(request))).toMatchObject({ state: 'PENDING', approvals: [] });
  });

  test('of approval, denial and cancellation at once one wins', async () => {
    for (let round = 0; round < 5; round += 1) {
      const request = await desk.ask(anna, desk.input({ roleName: 'Teams Administrator' }));
      const id = idOf(request);
      await Promise.all([desk.approve(carl, request), send(carl, 'denyAccess', { id, reason: 'No.' }), send(anna, 'cancelAccess', { id })]);
      const { state } = await world.accessRequest(anna, id);
      expect(await grantsWith(id)).toHaveLength(state === 'APPROVED' ? 1 : 0);
    }
  });

  test('it is listed with the tenant`s requests', async () => {
    const request = await waiting();
    const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Tenant { accessRequests(first: 1) { edges { node { id entra { roleName } device { id } loginRequest { id } } } } } } }`;
    const answer = await service.send(anna.actor, query, { refs: [{ __typename: 'Tenant', id: customer.tenantId }] });
    const node = { id: idOf(request), entra: { roleName: 'Security Administrator' }, device: null, loginRequest: null };
    expect(answer).toEqual({ data: { _entities: [{ accessRequests: { edges: [{ node }] } }] } });
  });
});
