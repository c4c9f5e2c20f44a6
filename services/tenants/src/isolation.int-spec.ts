import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor, Principal } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import {
  createTenant,
  enrollDevice,
  joinAs,
  joinFirst,
  only,
  problem,
  somePublicKey,
  startTestTenants,
  technician,
  type TestTenants,
} from './test-tenants.support.ts';
import { SourcePersonRepository } from './user-source/source-person.repository.ts';
import { sourceTechnicianService } from './user-source/source-technician.parts.ts';

let tenants: TestTenants;
const things: Record<
  'tenant' | 'technician' | 'group' | 'device' | 'enrollmentToken' | 'apiClient' | 'role' | 'recovery' | 'sourceConflict',
  Id
> = {
  tenant: '',
  technician: '',
  group: '',
  device: '',
  enrollmentToken: '',
  apiClient: '',
  role: '',
  recovery: '',
  sourceConflict: '',
};
let strangers: Record<string, Principal>;

beforeAll(async () => {
  tenants = await startTestTenants();
  const { mspId, administrator } = await joinFirst(tenants);
  const a = await createTenant(tenants, administrator, 'A');
  const b = await createTenant(tenants, administrator, 'B');
  things.tenant = a;
  for (const kind of ['technician', 'group', 'enrollmentToken', 'apiClient'] as const) things[kind] = newId();
  const make = (mutation: string, input: object) => tenants.send(administrator, mutation, { input }).then(only);
  await make(`mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} } }`, {
    id: things.technician,
    tenantId: a,
    email: 'in-a@example.com',
    roles: ['TECHNICIAN'],
  });
  await make(`mutation ($input: CreateGroupInput!) { createGroup(input: $input) { ${problem} } }`, {
    id: things.group,
    tenantId: a,
    name: 'Group',
  });
  await make(`mutation ($input: IssueEnrollmentTokenInput!) { issueEnrollmentToken(input: $input) { ${problem} } }`, {
    id: things.enrollmentToken,
    tenantId: a,
    kind: 'SERVER',
    uses: 1,
    lifetimeSeconds: 60,
  });
  await make(`mutation ($input: CreateApiClientInput!) { createApiClient(input: $input) { ${problem} } }`, {
    id: things.apiClient,
    clientId: newId(),
    tenantId: a,
    name: 'PSA',
    publicKey: somePublicKey(),
    permissions: ['grant.read'],
  });
  const { roles } = only(
    await tenants.send(administrator, 'query ($id: ID!) { technician(id: $id) { __typename roles { id } } }', { id: things.technician }),
  ) as unknown as { roles: { id: Id }[] };
  things.role = roles[0]?.id ?? '';
  const inA = await joinAs(tenants, administrator, 'joined-in-a@example.com', 'TECHNICIAN', a);
  things.recovery = newId();
  await make(`mutation ($input: StartRecoveryInput!) { startRecovery(input: $input) { ${problem} } }`, {
    ...{ id: things.recovery, technicianId: inA.id, reason: 'Lost phone' },
  });
  const { email } = only(
    await tenants.send(administrator, 'query ($id: ID!) { technician(id: $id) { __typename email } }', { id: inA.id }),
  );
  things.sourceConflict = await conflictOver(tenants, mspId, a, String(email));
  things.device = (await enrollDevice(tenants, administrator, a)).id;
  const foreignMsp = newId();
  const { permissions } = (administrator as Extract<Actor, { access: unknown }>).access[0] ?? { permissions: [] };
  strangers = {
    'an administrator of the sibling customer': technician(mspId, b),
    'an administrator of another MSP': technician(foreignMsp),
    'an API client of the sibling customer': { kind: 'client', id: newId(), mspId, tenantId: b, access: [{ tenantId: b, permissions }] },
    'a device of the sibling customer': await enrollDevice(tenants, administrator, b),
    'a caller that names our MSP but lives nowhere in it': technician(mspId, newId()),
  };
});
afterAll(() => tenants.close());

/** Somebody of the tenant's user source who has a local technician's address: the id of that conflict. */
async function conflictOver(service: TestTenants, mspId: Id, tenantId: Id, email: string): Promise<Id> {
  const system = await Tenancy.open({ schema: 'tenants', ...service.database.urls('tenants'), poolSize: 1 });
  const sourced = sourceTechnicianService({ tenancy: system, clock: service.clock, revoke: () => undefined });
  const person = { objectId: randomUUID(), email, displayName: 'In A', present: true, owned: true, groupIds: [], roles: [], version: 1 };
  const id = await system.asSystem(async (tx) => {
    await sourced.told(tx, { mspId, tenantId, ...person });
    return (await new SourcePersonRepository().conflicts(tx, mspId, tenantId, { first: 1, after: null }))[0]?.id;
  });
  await system.close();
  return id ?? '';
}

function typeName(kind: string): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** Every operation that takes an id, by the kind of thing. `$id` is the thing's. */
const operations: [keyof typeof things, string, object?][] = [
  ['tenant', 'query ($id: ID!) { tenant(id: $id) { name } }'],
  ['technician', 'query ($id: ID!) { technician(id: $id) { email } }'],
  ['group', 'query ($id: ID!) { group(id: $id) { name } }'],
  ['device', 'query ($id: ID!) { device(id: $id) { hostName } }'],
  ...(['tenant', 'technician', 'group', 'device'] as const).map((kind): [keyof typeof things, string] => [
    kind,
    `query ($entity: [_Any!]!) { _entities(representations: $entity) { ... on ${typeName(kind)} { id } __typename } }`,
  ]),
  ['tenant', `mutation ($id: ID!, $new: ID!) { createTenant(input: { id: $new, parentId: $id, name: "X" }) { ${problem} } }`],
  ['tenant', `mutation ($id: ID!) { renameTenant(input: { id: $id, name: "X" }) { ${problem} } }`],
  [
    'tenant',
    `mutation ($id: ID!, $new: ID!) { inviteTechnician(input: { id: $new, tenantId: $id, email: "x@example.com", roles: [AUDITOR] }) { ${problem} } }`,
  ],
  ['technician', `mutation ($id: ID!) { updateTechnician(input: { id: $id, active: false }) { ${problem} } }`],
  [
    'technician',
    `mutation ($id: ID!, $new: ID!, $own: ID!) { assignRole(input: { id: $new, technicianId: $id, tenantId: $own, role: AUDITOR }) { ${problem} } }`,
  ],
  ['technician', `mutation ($id: ID!, $new: ID!) { startRecovery(input: { id: $new, technicianId: $id, reason: "X" }) { ${problem} } }`],
  [
    'tenant',
    `mutation ($id: ID!) { setIdentityProvider(input: { tenantId: $id, issuer: "https://login.example.com", clientId: "x", clientSecret: "x", passkeyToo: false, required: false }) { ${problem} } }`,
  ],
  ['tenant', `mutation ($id: ID!) { removeIdentityProvider(input: { tenantId: $id }) { ${problem} } }`],
  ['recovery', `mutation ($id: ID!) { approveRecovery(input: { id: $id }) { ${problem} } }`],
  ['recovery', `mutation ($id: ID!) { cancelRecovery(input: { id: $id }) { ${problem} } }`],
  ['role', `mutation ($id: ID!) { removeRole(input: { id: $id }) { ${problem} } }`],
  ['sourceConflict', `mutation ($id: ID!) { resolveSourceConflict(input: { id: $id, decision: LINK }) { ${problem} } }`],
  ['device', `mutation ($id: ID!) { updateDevice(input: { id: $id, tags: ["x"] }) { ${problem} } }`],
  ['tenant', `mutation ($id: ID!, $new: ID!) { createGroup(input: { id: $new, tenantId: $id, name: "X" }) { ${problem} } }`],
  ['group', `mutation ($id: ID!) { setGroupMembers(input: { groupId: $id, technicianIds: [] }) { ${problem} } }`],
  [
    'tenant',
    `mutation ($id: ID!, $new: ID!) { issueEnrollmentToken(input: { id: $new, tenantId: $id, kind: SERVER, uses: 1, lifetimeSeconds: 60 }) { ${problem} } }`,
  ],
  ['enrollmentToken', `mutation ($id: ID!) { revokeEnrollmentToken(input: { id: $id }) { ${problem} } }`],
  ['device', `mutation ($id: ID!) { revokeDevice(input: { id: $id }) { ${problem} } }`],
  [
    'tenant',
    `mutation ($id: ID!, $new: ID!, $key: String!) { createApiClient(input: { id: $new, clientId: $new, tenantId: $id, name: "X", publicKey: $key, permissions: ["grant.read"] }) { ${problem} } }`,
  ],
  ['apiClient', `mutation ($id: ID!) { revokeApiClient(input: { id: $id }) { ${problem} } }`],
];

describe.each([
  'an administrator of the sibling customer',
  'an administrator of another MSP',
  'an API client of the sibling customer',
  'a device of the sibling customer',
  'a caller that names our MSP but lives nowhere in it',
])('%s', (who) => {
  test.each(operations)('gets for a %s of tenant A what it gets for nothing at all: %s', async (kind, query) => {
    const variables = { new: newId(), key: somePublicKey(), own: (strangers[who] as Actor).tenantId };
    const used = Object.fromEntries(Object.entries(variables).filter(([name]) => query.includes(`$${name}:`)));
    const entity = (id: Id) => (query.includes('$entity') ? { entity: [{ __typename: typeName(kind), id }] } : { id });
    const ask = (id: Id) => tenants.send(strangers[who] as Principal, query, { ...used, ...entity(id) });
    const answer = await ask(things[kind]);
    const told = answer.errors?.[0]?.extensions.code ?? only(answer).__typename;
    expect(['NOT_FOUND', 'NotFound', 'FORBIDDEN']).toContain(told);
    expect(answer).toEqual(await ask(newId()));
  });
});

test('foreign ids inside a list refuse the whole list', async () => {
  const stranger = strangers['an administrator of the sibling customer'] as Actor;
  const group = newId();
  only(
    await tenants.send(stranger, `mutation ($input: CreateGroupInput!) { createGroup(input: $input) { ${problem} } }`, {
      input: { id: group, tenantId: stranger.tenantId, name: 'Own' },
    }),
  );
  const answer = only(
    await tenants.send(stranger, `mutation ($input: SetGroupMembersInput!) { setGroupMembers(input: $input) { ${problem} } }`, {
      input: { groupId: group, technicianIds: [things.technician] },
    }),
  );
  expect(answer.__typename).toBe('NotFound');
});

test('lists show nothing of tenant A to the sibling', async () => {
  const answer = await tenants.send(
    strangers['an administrator of the sibling customer'] as Principal,
    '{ tenants { edges { node { name devices { edges { node { hostName } } } technicians { edges { node { email } } } } } } }',
  );
  expect(JSON.stringify(answer)).toContain('"B"');
  expect(JSON.stringify(answer)).not.toMatch(/"A"|in-a@example/);
});

test('without the gateway’s principal nothing answers', async () => {
  const response = await fetch(tenants.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  expect(response.status).toBe(401);
});
