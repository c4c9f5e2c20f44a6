// What lives on by a connection beside access, when it is ended, made again, or made to another Entra tenant.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { generateHpkeKeyPair } from '@stint/crypto';
import type { EntraTenant } from '@stint/graph-emulator';
import { addSeconds, newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { usualPolicy } from '../testing/break-glass-vault.ts';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { everythingNeeded, World, type Connected } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
let customer: Connected;
let accountId: Id;
let glass: { id: string; userPrincipalName: string };
let people: { id: string }[];
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());

/** A customer with a break-glass account and a user source of two. */
beforeEach(async () => {
  customer = await world.connected();
  const { entra, administrator, tenant } = customer;
  const { mspId, tenantId } = tenant;
  glass = entra.addUser({ userPrincipalName: `emergency-1@${entra.initialDomain}`, mfaRegistered: true });
  const finding = await answer<{ objectId: string; digest: string }>(
    'query ($input: EntraBreakGlassFindingInput!) { answer: entraBreakGlassFinding(input: $input) { ... on EntraBreakGlassFinding { objectId digest } } }',
    { input: { tenantId, account: glass.id } },
  );
  accountId = newId();
  await world.mutate(administrator, 'registerEntraBreakGlassAccount', '', { id: accountId, tenantId, ...finding });

  people = ['anna', 'bert'].map((name) => entra.addUser({ displayName: name, mail: `${name}@northwind.example` }));
  const { id: groupId } = entra.addGroup({ displayName: 'Technicians', members: people.map(({ id }) => id) });
  const technicianGroupId = newId();
  await service.tell('group-changed', { mspId, tenantId, groupId: technicianGroupId, name: 'Technicians', version: 1 });
  await service.settled();
  const id = newId();
  await world.mutate(administrator, 'previewUserSource', '', { id, tenantId, groups: [{ groupId, technicianGroupId }] });
  await eventually(async () =>
    expect(await answer('query ($id: ID!) { answer: userSourceReading(id: $id) { state tenant { id } } }', { id })).toEqual({
      state: 'WAITING',
      tenant: { id: tenantId },
    }),
  );
  await world.mutate(administrator, 'applyUserSourceReading', '', { id });
  await eventually(async () => expect((await shown()).userSource).toMatchObject({ state: 'ON', people: 2, problem: null }));
});

async function answer<Answer>(query: string, variables: object): Promise<Answer> {
  const { data, errors } = await service.send(customer.administrator, query, variables);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data?.['answer'] as Answer;
}

interface Shown {
  entraConnection: { state: string; problems: { code: string; blocking: boolean; message: string; nextStep: string }[] };
  entraBreakGlassAccounts: { problem: string | null }[];
  userSource: { state: string; people: number; problem: string | null };
}
async function shown(): Promise<Shown> {
  const query = `query ($id: ID!) { answer: _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant {
    entraConnection { state problems { code blocking message nextStep } } entraBreakGlassAccounts { problem } userSource { state people problem } } } }`;
  const [tenant] = await answer<Shown[]>(query, { id: customer.tenant.tenantId });
  if (tenant === undefined) throw new Error('No tenant.');
  return tenant;
}
const act = (name: string, more: object = {}) =>
  world.mutate(customer.administrator, name, '... on EntraConnection { state problems { code } }', {
    tenantId: customer.tenant.tenantId,
    ...more,
  });
const codes = ({ problems }: Shown['entraConnection']) => problems.map(({ code }) => code);
const unattended = ['BREAK_GLASS_UNATTENDED', 'USER_SOURCE_UNATTENDED'];

/** Connects the customer to this Entra tenant, verified. */
async function connect(entra: EntraTenant): Promise<void> {
  const secret = 'another-secret-of-the-app';
  const app = entra.registerApp({ ...everythingNeeded, secrets: [{ value: secret }] });
  await act('connectEntra', { entraTenantId: entra.id, clientId: app.clientId });
  await act('addEntraSecret', { secret, endsOn: world.day(300) });
  expect(await act('verifyEntraConnection')).toMatchObject({ state: 'READY' });
}

/** Has the vault ask for a new password and take what it is offered; answers once it is set and read back. */
async function rotate(): Promise<void> {
  const { mspId, tenantId } = customer.tenant;
  const offers = () => service.others.received('entra-rotation-escrowed').filter((one) => one.accountId === accountId);
  const vaultKey = { id: newId(), publicKey: (await generateHpkeKeyPair()).publicKey };
  await service.tell('entra-rotation-due', { mspId, tenantId, accountId, fence: 0, vaultKey, policy: usualPolicy });
  const versionId = await eventually(() => offers().at(-1)?.versionId ?? missing());
  await service.tell('entra-rotation-answered', { mspId, tenantId, accountId, versionId, taken: true, fence: 1 });
  await eventually(() =>
    expect(service.others.received('entra-rotation-confirmed')).toContainEqual(expect.objectContaining({ versionId })),
  );
}

test('an ended connection says loudly what stands still, and so do the account and the source', async () => {
  expect(codes((await shown()).entraConnection)).toEqual([]);
  expect(await act('disconnectEntra')).toMatchObject({ state: 'DISCONNECTED', problems: unattended.map((code) => ({ code })) });
  await eventually(async () => {
    const { entraConnection, entraBreakGlassAccounts, userSource } = await shown();
    expect(codes(entraConnection)).toEqual(unattended);
    expect(entraConnection.problems[0]?.message).toContain(glass.userPrincipalName);
    expect(entraConnection.problems[1]?.message).toContain('2 technicians');
    expect(entraBreakGlassAccounts).toEqual([{ problem: expect.stringContaining('not connected') }]);
    expect(userSource).toMatchObject({ state: 'ON', people: 2, problem: expect.stringContaining('not connected') });
  });
  await eventually(() =>
    expect(
      service.others
        .received('entra-break-glass-changed')
        .filter((one) => one.accountId === accountId)
        .at(-1),
    ).toMatchObject({
      registered: true,
      problem: expect.stringContaining('not connected'),
    }),
  );
  const { details } = await service.audited('entra-connection.disconnected', customer.tenant.tenantId);
  expect(details).toMatchObject({ breakGlassAccounts: 1, peopleOfSource: 2 });
});

test('the same Entra tenant, connected again, has both go on', async () => {
  await act('disconnectEntra');
  await eventually(async () => expect((await shown()).userSource.problem).not.toBeNull());
  customer.entra.changeUser(people[0]?.id ?? '', { accountEnabled: false });
  await connect(customer.entra);
  await eventually(async () => {
    const { entraConnection, entraBreakGlassAccounts, userSource } = await shown();
    expect(codes(entraConnection)).toEqual([]);
    expect(entraBreakGlassAccounts).toEqual([{ problem: null }]);
    expect(userSource).toMatchObject({ state: 'ON', people: 1, problem: null });
  });
  service.clock.advance(60);
  await rotate();
});

test('another Entra tenant is asked nothing about accounts and people of the former one, which is told', async () => {
  await act('disconnectEntra');
  const other = service.graph.tenant();
  service.graph.exchanges.length = 0;
  await connect(other);
  const { mspId, tenantId } = customer.tenant;
  const vaultKey = { id: newId(), publicKey: (await generateHpkeKeyPair()).publicKey };
  await service.tell('entra-rotation-due', { mspId, tenantId, accountId, fence: 0, vaultKey, policy: usualPolicy });
  await world.mutate(customer.administrator, 'syncUserSource', '', { tenantId, full: true });
  await eventually(async () => {
    const { entraConnection, entraBreakGlassAccounts, userSource } = await shown();
    expect(entraConnection).toMatchObject({ state: 'READY' });
    expect(codes(entraConnection)).toEqual(unattended);
    expect(entraConnection.problems.some(({ blocking }) => blocking)).toBe(false);
    expect(entraBreakGlassAccounts).toEqual([{ problem: expect.stringContaining(customer.entra.id) }]);
    expect(userSource).toMatchObject({ state: 'ON', people: 2, problem: expect.stringContaining(customer.entra.id) });
  });
  service.clock.advance(7_200);
  await service.settled();
  const asked = service.graph.exchanges.map(({ url }) => url);
  expect(asked.filter((url) => [glass, ...people].some(({ id }) => url.includes(id)))).toEqual([]);
  expect(service.others.received('entra-rotation-escrowed').filter((one) => one.accountId === accountId)).toEqual([]);

  // The former one again: both go on, and nobody was switched off meanwhile.
  await act('disconnectEntra');
  await connect(customer.entra);
  await rotate();
  await eventually(async () => {
    const { entraConnection, entraBreakGlassAccounts, userSource } = await shown();
    expect(codes(entraConnection)).toEqual([]);
    expect(entraBreakGlassAccounts).toEqual([{ problem: null }]);
    expect(userSource).toMatchObject({ people: 2, problem: null });
  });
  const told = service.others.received('source-technician-changed').filter((one) => one.tenantId === tenantId);
  expect(told.filter(({ present }) => !present)).toEqual([]);
});

test('what was given up in the former Entra tenant is never told as ended because another one does not have it', async () => {
  const { administrator, tenant, entra } = customer;
  const { mspId, tenantId } = tenant;
  const states = (grantId: Id) =>
    service.others
      .received('entra-grant-reported')
      .filter((one) => one.grantId === grantId)
      .map(({ state }) => state);
  const ask = async (grantId: Id, accountKind: 'JIT' | 'OWN' = 'JIT') => {
    await service.tell('entra-grant-changed', {
      ...{ mspId, tenantId, grantId, technicianId: administrator.id, wanted: true, version: 1, roleName: 'Helpdesk Administrator' },
      ...{ scope: '/', accountKind, accountPrefix: 'jit-', accountRestDays: 30, sessionSeconds: 3600, expiresAt: null },
      ...{ recipientKey: (await generateHpkeKeyPair()).publicKey, activateBy: addSeconds(service.clock.now(), 3600).toISOString() },
    });
    await eventually(() => expect(states(grantId)).toEqual(['ACTIVE']));
  };
  const [former, formerOwn, newer] = [newId(), newId(), newId()];
  const own = entra.addUser({ mail: 'anna@example.com' });
  await ask(former);
  await ask(formerOwn, 'OWN');
  const left = entra.users().find(({ employeeId }) => employeeId !== null) ?? missing();
  expect(await act('disconnectEntra', { giveUp: true })).toMatchObject({ state: 'DISCONNECTED' });

  const other = service.graph.tenant();
  service.graph.exchanges.length = 0;
  await connect(other);
  await ask(newer);
  service.clock.advance(7_200);
  await eventually(() => expect(states(newer)).toContain('ENDED'));
  expect(states(former)).not.toContain('ENDED');
  expect(states(formerOwn)).not.toContain('ENDED');
  const { problems } = (await shown()).entraConnection;
  const leftBehind = problems.find(({ code }) => code === 'ACCOUNTS_LEFT_BEHIND');
  expect(leftBehind?.message).toContain('1 accounts of Stint and 1 roles');
  expect(leftBehind?.nextStep).toContain(`Helpdesk Administrator from ${own.userPrincipalName}`);
  expect(service.graph.exchanges.filter(({ url }) => url.includes(left.id))).toEqual([]);

  await act('disconnectEntra');
  await eventually(async () => {
    service.clock.advance(10);
    expect((await shown()).entraConnection.state).toBe('DISCONNECTED');
  });
  await connect(entra);
  await eventually(() => {
    service.clock.advance(10);
    expect(states(former)).toContain('ENDED');
    expect(states(formerOwn)).toContain('ENDED');
    expect(entra.user(left.id)).toBeUndefined();
    expect(entra.roleAssignments(own.id)).toEqual([]);
  });
  expect(codes((await shown()).entraConnection)).not.toContain('ACCOUNTS_LEFT_BEHIND');
  // What was left is gone, and what is told of it stays.
  for (const id of [former, formerOwn]) expect(await accessOf(id)).toMatchObject({ phase: 'ENDED' });

  await act('disconnectEntra');
  await connect(other);
  expect(codes((await shown()).entraConnection)).not.toContain('ACCOUNTS_LEFT_BEHIND');
});

async function accessOf(grantId: Id): Promise<{ phase: string; accountName: string | null } | null> {
  const query = `query ($id: ID!) { answer: _entities(representations: [{ __typename: "Grant", id: $id }]) { ... on Grant {
    entraAccess { phase accountName } } } }`;
  const [grant] = await answer<{ entraAccess: { phase: string; accountName: string | null } | null }[]>(query, { id: grantId });
  return grant?.entraAccess ?? null;
}

function missing(): never {
  throw new Error('It is not there.');
}
