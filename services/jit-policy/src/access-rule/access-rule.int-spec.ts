import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import { permissions, type Actor, type Payload } from '@stint/contracts';
import { eventually } from '@stint/testing';
import { technicianActor, World, type Computer, type Technician, type Thing } from '../testing/world.ts';
import { oldId, TestJitPolicy } from '../testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
let msp: Payload<'tenant-changed'>;
let customer: Payload<'tenant-changed'>;
let sibling: Payload<'tenant-changed'>;
let anna: Technician;
let computer: Computer;
let administrator: Actor;
let ofCustomer: Actor;
let seniors: Id;
let local: Id;

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  msp = await world.tenant(null, 'Northwind');
  customer = await world.tenant(msp);
  sibling = await world.tenant(msp, 'Sibling');
  [seniors, local] = [await group(msp, 'Seniors'), await group(sibling, 'Local')];
  anna = await world.technician(msp, 'TECHNICIAN', { groupIds: [seniors] });
  computer = await world.computer(customer, { tags: ['till'] });
  administrator = technicianActor(msp, 'ADMINISTRATOR');
  ofCustomer = technicianActor(customer, 'ADMINISTRATOR');
  await service.settled();
});
afterAll(() => service.close());

async function group(tenant: Payload<'tenant-changed'>, name: string): Promise<Id> {
  const groupId = oldId();
  await service.tell('group-changed', { mspId: tenant.mspId, tenantId: tenant.tenantId, groupId, name, version: 1 });
  return groupId;
}

const fields =
  '__typename id tenant { id } name effect enabled groups { id } deviceTags kinds entraRoles maxSeconds defaultSeconds requireReason requireTicket approvals approverGroup { id } hours { days from to } timeZone';
const create = (by: Actor, input: object) =>
  world.mutate(by, 'createAccessRule', `... on AccessRule { ${fields} }`, {
    ...{ id: newId(), tenantId: customer.tenantId, name: 'A rule', kinds: ['LOCAL_ADMIN'] },
    ...input,
  });
const update = (by: Actor, id: Id, input: object) =>
  world.mutate(by, 'updateAccessRule', `... on AccessRule { ${fields} }`, { id, ...input });
const remove = (by: Actor, id: Id) => world.mutate(by, 'removeAccessRule', '... on AccessRuleRemoved { __typename id }', { id });
const read = (by: Actor, id: Id) => service.send(by, `query ($id: ID!) { accessRule(id: $id) { ${fields} } }`, { id });
const rulesOf = async (by: Actor, tenantId: Id, first = 100, after: string | null = null) => {
  const query = `query ($refs: [_Any!]!, $first: Int, $after: String) { _entities(representations: $refs) { ... on Tenant { accessRules(first: $first, after: $after) { edges { node { id name } } pageInfo { hasNextPage endCursor } } } } }`;
  const answer = await service.send(by, query, { refs: [{ __typename: 'Tenant', id: tenantId }], first, after });
  const [tenant] = (answer.data?.['_entities'] ?? []) as { accessRules: { edges: { node: Thing }[]; pageInfo: Record<string, unknown> } }[];
  return { ...tenant?.accessRules, names: tenant?.accessRules?.edges.map(({ node }) => node['name']), errors: answer.errors };
};

describe('a new MSP', () => {
  test('has one rule: every technician may be a local administrator', async () => {
    const { names, edges } = await rulesOf(administrator, msp.tenantId);
    expect(names).toEqual(['Technicians: local administrator']);
    const [first] = edges ?? [];
    expect(await service.audited('access-rule.created', String(first?.node['id']))).toMatchObject({
      actorKind: 'system',
      tenantId: msp.tenantId,
    });
    expect((await rulesOf(administrator, customer.tenantId)).names).toEqual([]);
  });

  test('does not get it a second time, though its message comes again and changes', async () => {
    await service.tell('tenant-changed', msp, { ...msp, name: 'Renamed', version: 2 }, msp);
    await service.settled();
    expect((await rulesOf(administrator, msp.tenantId)).names).toHaveLength(1);
  });
});

describe('a rule', () => {
  const everything = () => ({
    name: 'Servers at night',
    effect: 'ALLOW',
    enabled: false,
    groups: [seniors],
    deviceTags: ['server', 'till'],
    kinds: ['LOCAL_ADMIN', 'ENTRA_ROLE'],
    entraRoles: ['Helpdesk Administrator'],
    maxSeconds: 7200,
    defaultSeconds: 900,
    requireReason: true,
    requireTicket: true,
    approvals: 2,
    approverGroup: seniors,
    hours: [{ days: ['MON', 'FRI'], from: '22:00', to: '06:00' }],
    timeZone: 'Europe/Berlin',
  });

  test('is made, read, listed, changed and removed; the log has each with what changed', async () => {
    const id = newId();
    const made = await create(administrator, { id, ...everything() });
    const shown = { ...everything(), groups: [{ id: seniors }], approverGroup: { id: seniors } };
    expect(made).toEqual({ __typename: 'AccessRule', id, tenant: { id: customer.tenantId }, ...shown });
    expect((await read(administrator, id)).data?.['accessRule']).toEqual(made);
    expect((await rulesOf(administrator, customer.tenantId)).names).toEqual(['Servers at night']);
    expect(await service.audited('access-rule.created', id)).toMatchObject({
      tenantId: customer.tenantId,
      actorId: administrator.id,
      details: { name: 'Servers at night', 'groups.added': seniors, maxSeconds: 7200, hours: 'MON FRI 22:00–06:00 (Europe/Berlin)' },
    });

    const changed = await update(administrator, id, { enabled: true, deviceTags: ['till'], defaultSeconds: null, hours: null });
    expect(changed).toEqual({ ...made, enabled: true, deviceTags: ['till'], defaultSeconds: null, hours: [], timeZone: null });
    expect((await service.audited('access-rule.changed', id)).details).toEqual({
      ...{ name: 'Servers at night', 'enabled.old': false, 'enabled.new': true, 'deviceTags.removed': 'server' },
      ...{
        'defaultSeconds.old': 900,
        'defaultSeconds.new': null,
        'hours.new': 'always',
        'hours.old': 'MON FRI 22:00–06:00 (Europe/Berlin)',
      },
    });
    expect(await update(administrator, id, { enabled: true })).toEqual(changed);
    expect(service.audits.filter(({ action, subjectId }) => action === 'access-rule.changed' && subjectId === id)).toHaveLength(1);

    expect(await remove(administrator, id)).toEqual({ __typename: 'AccessRuleRemoved', id });
    expect(await remove(administrator, id)).toMatchObject({ __typename: 'NotFound' });
    expect((await service.audited('access-rule.removed', id)).details).toMatchObject({
      name: 'Servers at night',
      'groups.removed': seniors,
    });
    expect((await rulesOf(administrator, customer.tenantId)).names).toEqual([]);
  });

  test('made twice by the same call is one; another one by its id is refused', async () => {
    const id = newId();
    const [first, again] = [await create(administrator, { id, name: 'Once' }), await create(administrator, { id, name: 'Once' })];
    expect(again).toEqual(first);
    expect(await create(administrator, { id, name: 'Other' })).toMatchObject({ __typename: 'Conflict' });
    expect(await create(administrator, { id, name: 'Once', tenantId: sibling.tenantId })).toMatchObject({ __typename: 'Conflict' });
    await remove(administrator, id);
  });

  test.each<[string, object, string]>([
    ['no id', { id: 'x' }, 'id'],
    ['an upper-case id', { id: newId().toUpperCase() }, 'id'],
    ['no name', { name: '' }, 'name'],
    ['an unknown group', { groups: [oldId()] }, 'groups.0'],
    ['nonsense for a group', { groups: ["' or 1=1"] }, 'groups.0'],
    ['an unknown approver group', { approvals: 1, approverGroup: oldId() }, 'approverGroup'],
    ['a tag with a blank', { deviceTags: ['a b'] }, 'deviceTags.0'],
    ['no kind', { kinds: [] }, 'kinds'],
    ['Entra roles without the kind', { entraRoles: ['Reader'] }, 'entraRoles'],
    ['too long', { maxSeconds: 28_801 }, 'maxSeconds'],
    ['a default above the longest', { maxSeconds: 60, defaultSeconds: 61 }, 'defaultSeconds'],
    ['six approvals', { approvals: 6 }, 'approvals'],
    ['an unknown time zone', { hours: [{ days: ['MON'], from: '08:00', to: '18:00' }], timeZone: 'Mars/Olympus' }, 'timeZone'],
    ['a wrong time', { hours: [{ days: ['MON'], from: '8', to: '18:00' }], timeZone: 'UTC' }, 'hours.0.from'],
  ])('with %s is refused, new and changed', async (_, input, field) => {
    expect(await create(administrator, input)).toMatchObject({ __typename: 'InvalidInput', field });
    expect((await rulesOf(administrator, customer.tenantId)).names).toEqual([]);
    if (field === 'id') return;
    const id = await world.rule(customer, { name: 'Good' });
    const before = await read(administrator, id);
    expect(await update(administrator, id, input)).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await read(administrator, id)).toEqual(before);
    await remove(administrator, id);
  });

  test('names groups that were made a moment ago', async () => {
    const fresh = newId();
    const waiting = create(administrator, { name: 'Fresh', groups: [fresh] });
    await service.tell('group-changed', { mspId: msp.mspId, tenantId: msp.tenantId, groupId: fresh, name: 'Fresh', version: 1 });
    const made = await waiting;
    expect(made).toMatchObject({ groups: [{ id: fresh }] });
    await remove(administrator, String(made['id']));
  });

  test('a tenant has at most 200', async () => {
    const small = await world.tenant(msp, 'Small');
    await service.settled();
    await service.rows(
      `insert into access_rule (msp_id, tenant_id, id, name, effect, enabled, groups, device_tags, kinds, entra_roles, max_seconds, require_reason, require_ticket, approvals, hours)
       select $1, $2, gen_random_uuid(), 'rule ' || n, 'ALLOW', true, '{}', '{}', '{LOCAL_ADMIN}', '{}', 60, false, false, 0, '{"ranges": [], "timeZone": null}' from generate_series(1, 200) n`,
      [msp.mspId, small.tenantId],
    );
    expect(await create(administrator, { tenantId: small.tenantId })).toMatchObject({ __typename: 'Conflict' });
  });

  test('lists are paged', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push(await world.rule(sibling, { name }));
    const first = await rulesOf(administrator, sibling.tenantId, 2);
    expect([first.names, first.pageInfo?.['hasNextPage']]).toEqual([['a', 'b'], true]);
    const rest = await rulesOf(administrator, sibling.tenantId, 2, String(first.pageInfo?.['endCursor']));
    expect([rest.names, rest.pageInfo?.['hasNextPage']]).toEqual([['c'], false]);
    for (const id of ids) await remove(administrator, id);
  });
});

describe('who may', () => {
  test('an administrator of one customer sets its rules, reads those above, and changes neither those above nor those beside', async () => {
    const { edges } = await rulesOf(administrator, msp.tenantId);
    const above = String(edges?.[0]?.node['id']);
    const beside = await world.rule(sibling, { name: 'Beside' });
    expect((await read(ofCustomer, above)).data?.['accessRule']).toMatchObject({ id: above });
    expect(await update(ofCustomer, above, { enabled: false })).toMatchObject({ __typename: 'NotFound' });
    expect(await remove(ofCustomer, above)).toMatchObject({ __typename: 'NotFound' });
    expect((await rulesOf(ofCustomer, msp.tenantId)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await read(ofCustomer, beside)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await update(ofCustomer, beside, { enabled: false })).toMatchObject({ __typename: 'NotFound' });
    expect(await create(ofCustomer, { tenantId: msp.tenantId })).toMatchObject({ __typename: 'NotFound' });
    expect(await create(ofCustomer, { groups: [local] })).toMatchObject({ __typename: 'InvalidInput', field: 'groups.0' });
    const own = await create(ofCustomer, { groups: [seniors] });
    expect(own).toMatchObject({ __typename: 'AccessRule', groups: [{ id: seniors }] });
    await remove(ofCustomer, String(own['id']));
    await remove(administrator, beside);
  });

  test.each(['TECHNICIAN', 'AUDITOR', 'HELPDESK'] as const)('a %s changes none', async (role) => {
    const actor = technicianActor(msp, role);
    await expect(create(actor, {})).rejects.toThrow('FORBIDDEN');
    await expect(update(actor, newId(), {})).rejects.toThrow('FORBIDDEN');
    await expect(remove(actor, newId())).rejects.toThrow('FORBIDDEN');
  });
});

describe('explainAccess', () => {
  const explain = (by: Actor, args: string) =>
    service.send(
      by,
      `{ explainAccess(${args}) { allowed why ruleName maxSeconds defaultSeconds requireReason requireTicket approvals approverGroup { id } considered { name verdict why tenant { id } } } }`,
    );
  const explained = async (by: Actor, args: string) => (await explain(by, args)).data?.['explainAccess'] as Thing;
  const about = (technician: string, device: string) => `technicianId: "${technician}", deviceId: "${device}", kind: LOCAL_ADMIN`;

  test('says which rule decides, why the others do not, and what is demanded', async () => {
    const ids = [
      await world.rule(customer, {
        name: 'Tills',
        deviceTags: ['till'],
        requireReason: true,
        maxSeconds: 1800,
        approvals: 1,
        approverGroup: seniors,
      }),
      await world.rule(customer, { name: 'Laptops', deviceTags: ['laptop'], effect: 'DENY' }),
      await world.rule(customer, { name: 'Off', enabled: false }),
    ];
    expect(await explained(administrator, about(anna.actor.id, computer.actor.id))).toEqual({
      allowed: true,
      why: 'The access rule “Tills” allows it.',
      ruleName: 'Tills',
      ...{
        maxSeconds: 1800,
        defaultSeconds: 1800,
        requireReason: true,
        requireTicket: false,
        approvals: 1,
        approverGroup: { id: seniors },
      },
      considered: [
        { name: 'Laptops', verdict: 'DOES_NOT_APPLY', why: 'The device has none of its tags.', tenant: { id: customer.tenantId } },
        { name: 'Tills', verdict: 'DECIDES', why: 'It allows access.', tenant: { id: customer.tenantId } },
        { name: 'Off', verdict: 'DOES_NOT_APPLY', why: 'It is switched off.', tenant: { id: customer.tenantId } },
        {
          ...{ name: 'Technicians: local administrator', verdict: 'OVERRULED', tenant: { id: msp.tenantId } },
          why: '“Tills” names a tag of the device.',
        },
      ],
    });
    for (const id of ids) await remove(administrator, id);
  });

  test('at any time', async () => {
    const hours = [{ days: ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], from: '08:00', to: '18:00' }];
    const id = await world.rule(customer, { name: 'Office', hours, timeZone: 'Europe/Berlin' });
    const at = (time: string) => explained(administrator, `${about(anna.actor.id, computer.actor.id)}, at: "${time}"`);
    expect(await at('2026-07-20T06:00:00Z')).toMatchObject({ allowed: true, ruleName: 'Office' });
    expect(await at('2026-12-20T06:00:00Z')).toMatchObject({ allowed: false, ruleName: 'Office' });
    await remove(administrator, id);
  });

  test('about an Entra role', async () => {
    const entra = (role: string) =>
      `technicianId: "${anna.actor.id}", tenantId: "${customer.tenantId}", entraRole: "${role}", kind: ENTRA_ROLE`;
    const id = await world.rule(customer, { name: 'Desk', kinds: ['ENTRA_ROLE'], entraRoles: ['Helpdesk Administrator'] });
    expect(await explained(administrator, entra('Helpdesk Administrator'))).toMatchObject({ allowed: true, ruleName: 'Desk' });
    expect(await explained(administrator, entra('Global Administrator'))).toMatchObject({ allowed: false, ruleName: null });
    await remove(administrator, id);
  });

  test('about a computer that was revoked: nobody gets in', async () => {
    const gone = await world.computer(customer, { active: false });
    await service.settled();
    expect(await explained(administrator, about(anna.actor.id, gone.actor.id))).toMatchObject({
      allowed: false,
      why: expect.stringContaining('revoked'),
    });
  });

  test('a technician asks about themselves, by name or without, and about nobody else without the permission', async () => {
    const own = { ...anna.actor, access: [{ tenantId: msp.tenantId, permissions: ['login.approve' as const] }] } as Actor;
    const bert = await world.technician(msp, 'TECHNICIAN', { email: 'bert@example.com' });
    await service.settled();
    expect(await explained(own, `deviceId: "${computer.actor.id}", kind: LOCAL_ADMIN`)).toMatchObject({ allowed: true });
    expect(await explained(own, about(anna.actor.id, computer.actor.id))).toMatchObject({ allowed: true });
    expect((await explain(own, about(bert.actor.id, computer.actor.id))).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  });

  test.each([
    ['nobody', `deviceId: "x", kind: LOCAL_ADMIN`, 'client', 'MALFORMED'],
    ['an Entra role on a device', `deviceId: "x", kind: ENTRA_ROLE`, 'technician', 'MALFORMED'],
    ['a local account in a tenant', `tenantId: "x", kind: LOCAL_ADMIN`, 'technician', 'MALFORMED'],
    ['an unknown device', `deviceId: "x", kind: LOCAL_ADMIN`, 'technician', 'NOT_FOUND'],
  ])('about %s', async (_, args, kind, code) => {
    const client: Actor = {
      kind: 'client',
      id: oldId(),
      ...{ mspId: msp.mspId, tenantId: msp.tenantId },
      access: [{ tenantId: msp.tenantId, permissions: [...permissions] }],
    };
    expect((await explain(kind === 'client' ? client : anna.actor, args)).errors?.[0]?.extensions.code).toBe(code);
  });

  test('changes nothing', async () => {
    const marks = () => service.rows('select id from access_recheck union all select id from outbox');
    const state = () => service.rows('select xmin::text, id from device union all select xmin::text, id from access_rule order by id');
    // Sweeps may still be at work on what the test has made; once they are done, nothing changes.
    await eventually(async () => {
      expect(await marks()).toEqual([]);
      const before = await state();
      await explained(administrator, about(anna.actor.id, computer.actor.id));
      expect(await marks()).toEqual([]);
      expect(await state()).toEqual(before);
    });
  });
});
