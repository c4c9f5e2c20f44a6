// Every setting by its name through the API: none can be forgotten, because the names come from the definitions.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id } from '@stint/kernel';
import type { Actor, Payload } from '@stint/contracts';
import { settingCases } from '../testing/setting-cases.ts';
import { TestJitPolicy, oldId } from '../testing/test-jit-policy.ts';
import { codeOf, only, technicianActor, World, type Technician, type Thing } from '../testing/world.ts';
import { apiName, isLaps, settingNames, type SettingName } from './settings.domain.ts';

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

const fields = (name: SettingName) =>
  `${isLaps(name) ? 'lapsSettings' : 'jitSettings'} { ${apiName(name)} { value source setOn { id } problem ${name === 'lapsReaderGroups' ? 'groups { id }' : ''} } }`;
const mutation = (name: SettingName) => (isLaps(name) ? 'updateLapsSettings' : 'updateJitSettings');
const set = (name: SettingName, tenantId: Id, value: unknown, by: Actor = admin.actor): Promise<Thing> => {
  const missing = isLaps(name) ? '' : '... on DomainAgentMissing { domain }';
  return world.mutate(by, mutation(name), `... on Tenant { __typename id } ${missing}`, { tenantId, [apiName(name)]: value });
};
const read = async (name: SettingName, tenantId: Id, by: Actor = admin.actor): Promise<unknown> => {
  const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Tenant { ${fields(name)} } } }`;
  const [tenant] = only(await service.send(by, query, { refs: [{ __typename: 'Tenant', id: tenantId }] })) as unknown as Thing[];
  return Object.values(Object.values(tenant ?? {})[0] as object)[0];
};
interface HistoryPage {
  edges: { node: Record<string, unknown> }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}
const history = async (tenantId: Id, page = '', by: Actor = admin.actor): Promise<HistoryPage> => {
  const asked = `settingsHistory${page} { edges { node { id at actorKind actorId technician { id } setting old new } } pageInfo { hasNextPage endCursor } }`;
  const query = `query ($refs: [_Any!]!) { _entities(representations: $refs) { ... on Tenant { ${asked} } } }`;
  const [tenant] = only(await service.send(by, query, { refs: [{ __typename: 'Tenant', id: tenantId }] })) as unknown as Thing[];
  return tenant?.['settingsHistory'] as HistoryPage;
};
/** A domain controller's agent, and groups to name: what some settings need. */
const furnish = async (): Promise<void> => {
  await world.computer(customer, { kind: 'DOMAIN_CONTROLLER', hostName: 'dc1', domain: 'corp.example.com' });
  const groups = settingCases.lapsReaderGroups.right[1].map((groupId) => ({ ...scope(msp), groupId, name: 'Helpdesk', version: 1 }));
  await service.tell('group-changed', ...groups);
  await service.settled();
  await set('domainAdminGroups', msp.tenantId, ['Server Admins']);
};
const scope = ({ mspId, tenantId }: Payload<'tenant-changed'>) => ({ mspId, tenantId });

describe.each(settingNames)('%s', (name) => {
  const { default: byDefault, right, wrong, wrongType } = settingCases[name];

  test('has its default, is inherited singly, and its changes are in the history and the audit log', async () => {
    expect(await read(name, branch.tenantId)).toMatchObject({ value: byDefault, source: 'DEFAULT', setOn: null });
    await furnish();
    if (name === 'domainAdminGroups') await set(name, msp.tenantId, null);
    const before = (await history(msp.tenantId)).edges.length;
    expect(await set(name, msp.tenantId, right[0])).toMatchObject({ __typename: 'Tenant', id: msp.tenantId });
    expect(await read(name, branch.tenantId)).toMatchObject({ value: right[0], source: 'INHERITED', setOn: { id: msp.tenantId } });
    expect(await set(name, customer.tenantId, right[1])).toMatchObject({ __typename: 'Tenant', id: customer.tenantId });
    expect(await read(name, customer.tenantId)).toMatchObject({ value: right[1], source: 'OWN', setOn: { id: customer.tenantId } });
    expect(await read(name, branch.tenantId)).toMatchObject({ value: right[1], source: 'INHERITED', setOn: { id: customer.tenantId } });
    // Whoever reaches only the branch sees what holds there, too.
    expect(await read(name, branch.tenantId, technicianActor(branch, 'AUDITOR'))).toMatchObject({ value: right[1], source: 'INHERITED' });
    expect(await set(name, customer.tenantId, null)).toMatchObject({ __typename: 'Tenant' });
    expect(await read(name, branch.tenantId)).toMatchObject({ value: right[0], source: 'INHERITED', setOn: { id: msp.tenantId } });

    const by = { actorKind: 'technician', actorId: admin.actor.id, technician: { id: admin.actor.id }, setting: name };
    expect((await history(customer.tenantId)).edges.map(({ node }) => node)).toEqual([
      { ...by, id: expect.any(String), at: expect.any(String), old: JSON.stringify(right[1]), new: null },
      { ...by, id: expect.any(String), at: service.clock.now().toISOString(), old: null, new: JSON.stringify(right[1]) },
    ]);
    expect((await history(msp.tenantId)).edges).toHaveLength(before + 1);
    expect((await service.audited('settings.changed', customer.tenantId)).details).toHaveProperty([`${name}.new`]);
  });

  test('wrong values are refused by its name, and change nothing', async () => {
    await furnish();
    const answers = await Promise.all(wrong.map((value) => set(name, customer.tenantId, value)));
    for (const answer of answers) expect(answer).toMatchObject({ __typename: 'InvalidInput', field: apiName(name) });
    for (const value of wrongType) {
      const input = { tenantId: customer.tenantId, [apiName(name)]: value };
      const type = `${mutation(name).charAt(0).toUpperCase()}${mutation(name).slice(1)}Input!`;
      const answer = await service.send(admin.actor, `mutation ($input: ${type}) { ${mutation(name)}(input: $input) { __typename } }`, {
        input,
      });
      expect([value, codeOf(answer)]).toEqual([value, 'BAD_USER_INPUT']);
    }
    expect((await history(customer.tenantId)).edges).toEqual([]);
    expect(await read(name, customer.tenantId)).not.toMatchObject({ source: 'OWN' });
  });
});

describe('the history', () => {
  test('is newest first, page by page, of this tenant only, and cannot be changed', async () => {
    for (const days of [1, 2, 3, 4, 5]) await set('accountRestDays', customer.tenantId, days);
    await set('accountRestDays', msp.tenantId, 9);
    const first = await history(customer.tenantId, '(first: 2)');
    expect(first.edges.map(({ node }) => [node['old'], node['new']])).toEqual([
      ['4', '5'],
      ['3', '4'],
    ]);
    const next = await history(customer.tenantId, `(first: 3, after: "${first.pageInfo.endCursor}")`);
    expect(next.edges.map(({ node }) => node['new'])).toEqual(['3', '2', '1']);
    expect([first.pageInfo.hasNextPage, next.pageInfo.hasNextPage]).toEqual([true, false]);
    for (const sql of ['update setting_change set old = null', 'delete from setting_change']) {
      await expect(service.rows(sql)).rejects.toThrow(/permission denied/);
    }
  });

  test('names an API client; one who reaches only the branch sees nothing of above; without settings.read nobody sees it', async () => {
    const access = [{ tenantId: msp.tenantId, permissions: ['settings.write' as const] }];
    const client: Actor = { kind: 'client', id: oldId(), ...scope(msp), access };
    await set('accountRestDays', customer.tenantId, 7, client);
    const [change] = (await history(customer.tenantId)).edges;
    expect(change?.node).toMatchObject({ actorKind: 'client', actorId: client.id, technician: null });
    await expect(history(customer.tenantId, '', technicianActor(branch, 'ADMINISTRATOR'))).rejects.toThrow('NOT_FOUND');
    await expect(history(customer.tenantId, '', technicianActor(msp, 'HELPDESK'))).rejects.toThrow('FORBIDDEN');
    // Who lives above is an id to somebody of the customer.
    await set('accountRestDays', customer.tenantId, 8);
    const [byAdmin] = (await history(customer.tenantId, '', technicianActor(customer, 'AUDITOR'))).edges;
    expect(byAdmin?.node).toMatchObject({ actorId: admin.actor.id, technician: null });
  });
});

describe('login mode of computers in a domain', () => {
  const groups = { domainAdminGroups: ['Workstation Admins'] };
  const both = (tenantId: Id, patch: object): Promise<Thing> =>
    world.mutate(admin.actor, 'updateJitSettings', '... on Tenant { __typename } ... on DomainAgentMissing { domain }', {
      tenantId,
      ...patch,
    });

  test.each(['DOMAIN', 'PROMPT'])('%s needs an agent on a domain controller of the tenant, and groups', async (domainLoginMode) => {
    await world.computer(customer, { domain: 'corp.example.com' });
    await world.computer(branch, { kind: 'DOMAIN_CONTROLLER', domain: 'corp.example.com' });
    const controller = await world.computer(customer, { kind: 'DOMAIN_CONTROLLER', domain: 'corp.example.com', active: false });
    await service.settled();
    const missing = await both(customer.tenantId, { domainLoginMode, ...groups });
    expect(missing).toEqual({
      __typename: 'DomainAgentMissing',
      domain: 'corp.example.com',
      message: expect.stringContaining('Enrol one there'),
    });
    expect((await history(customer.tenantId)).edges).toEqual([]);
    await service.tell('device-changed', { ...controller.told, active: true, version: 2 });
    await service.settled();
    expect(await both(customer.tenantId, { domainLoginMode })).toMatchObject({ __typename: 'InvalidInput', field: 'domainAdminGroups' });
    expect(await both(customer.tenantId, { domainLoginMode, ...groups })).toMatchObject({ __typename: 'Tenant' });
    expect(await both(customer.tenantId, { domainAdminGroups: null })).toMatchObject({
      __typename: 'InvalidInput',
      field: 'domainAdminGroups',
    });
    // Nobody's agent can make accounts in a domain yet, and that is said.
    expect(await read('domainLoginMode', customer.tenantId)).toMatchObject({
      problem: expect.stringContaining('cannot make domain accounts yet'),
    });
    // The last agent goes away.
    await service.tell('device-changed', { ...controller.told, active: false, version: 3 });
    await service.settled();
    expect(await read('domainLoginMode', customer.tenantId)).toMatchObject({
      value: domainLoginMode,
      problem: expect.stringContaining('No agent on a domain controller of corp.example.com'),
    });
  });

  test('on the MSP it is a default; a customer that inherits it without an agent shows why it does not work', async () => {
    expect(await both(msp.tenantId, { domainLoginMode: 'DOMAIN' })).toMatchObject({ __typename: 'Tenant' });
    expect(await read('domainLoginMode', msp.tenantId)).toMatchObject({ value: 'DOMAIN', source: 'OWN', problem: null });
    expect(await read('domainLoginMode', customer.tenantId)).toMatchObject({
      source: 'INHERITED',
      problem: expect.stringContaining('No agent'),
    });
    expect(await read('domainLoginMode', branch.tenantId, technicianActor(branch, 'AUDITOR'))).toMatchObject({
      problem: expect.stringContaining('No agent'),
    });
  });
});

describe('readers of LAPS passwords', () => {
  const group = (tenant: Payload<'tenant-changed'>, groupId: Id = oldId()) => ({ ...scope(tenant), groupId, name: 'Helpdesk', version: 1 });

  test('are groups of the tenant or of one above, also seen from below; others are refused like unknown ones', async () => {
    const foreign = await world.tenant(null, 'Fabrikam');
    const [above, own, below, strange] = [group(msp), group(customer), group(branch), group(foreign)];
    await service.tell('group-changed', above, own, below, strange);
    await service.settled();
    for (const id of [below.groupId, strange.groupId, oldId()]) {
      expect(await set('lapsReaderGroups', customer.tenantId, [own.groupId, id])).toEqual({
        ...{ __typename: 'InvalidInput', field: 'readerGroups' },
        message: 'readerGroups must list technician groups of this tenant or of one above it.',
      });
    }
    const local = technicianActor(customer, 'ADMINISTRATOR');
    const value = [above.groupId, own.groupId];
    expect(await set('lapsReaderGroups', customer.tenantId, value, local)).toMatchObject({ __typename: 'Tenant' });
    expect(await read('lapsReaderGroups', branch.tenantId, technicianActor(branch, 'AUDITOR'))).toMatchObject({
      value,
      groups: [null, null],
    });
    expect(await read('lapsReaderGroups', branch.tenantId, local)).toMatchObject({ value, groups: [null, { id: own.groupId }] });
    expect(await read('lapsReaderGroups', branch.tenantId)).toMatchObject({ groups: value.map((id) => ({ id })) });
    // Nobody, set here, is something else than inheriting.
    expect(await set('lapsReaderGroups', branch.tenantId, [])).toMatchObject({ __typename: 'Tenant' });
    expect(await read('lapsReaderGroups', branch.tenantId)).toMatchObject({ value: [], source: 'OWN' });
  });
});

test('a prefix that meets the name of a LAPS account is refused, either way', async () => {
  expect(await set('accountNamePrefix', customer.tenantId, 'stint-')).toMatchObject({
    __typename: 'InvalidInput',
    field: 'accountNamePrefix',
  });
  expect(await set('lapsLocalAccountName', customer.tenantId, 'JIT-admin')).toMatchObject({
    __typename: 'InvalidInput',
    field: 'localAccountName',
  });
  await set('lapsLocalAccountName', customer.tenantId, 'bg-admin');
  await set('accountNamePrefix', msp.tenantId, 'bg');
  expect(await read('lapsLocalAccountName', customer.tenantId)).toMatchObject({
    problem: expect.stringContaining('must not begin with "bg"'),
  });
});
