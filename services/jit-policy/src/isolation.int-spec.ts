import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type FieldDefinitionNode } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import { permissions, type Actor, type Payload, type Principal } from '@stint/contracts';
import { idOf, technicianActor, World, type Computer, type StartedLogin, type Technician } from './testing/world.ts';
import { oldId, TestJitPolicy } from './testing/test-jit-policy.ts';

let service: TestJitPolicy;
let world: World;
/** What tenant A has, and what tenant B's callers try to get. */
let a: {
  msp: Payload<'tenant-changed'>;
  customer: Payload<'tenant-changed'>;
  technician: Technician;
  computer: Computer;
  pending: StartedLogin;
  grantId: Id;
  accountId: Id;
  ruleId: Id;
  requestId: Id;
};
/** Callers who reach nothing of it: another MSP's, a sibling customer's, a computer beside it. None is forged: the gateway signs them. */
const strangers: Record<string, Actor> = {};

beforeAll(async () => {
  service = await TestJitPolicy.start();
  world = new World(service);
  const msp = await world.tenant(null, 'Northwind');
  const customer = await world.tenant(msp);
  const sibling = await world.tenant(msp, 'Sibling');
  const other = await world.tenant(null, 'Fabrikam');
  const technician = await world.technician(msp);
  const [computer, second, beside] = [await world.computer(customer), await world.computer(customer), await world.computer(customer)];
  const ofSibling = await world.technician(sibling, 'ADMINISTRATOR');
  const ofOther = await world.technician(other, 'ADMINISTRATOR');
  const deviceOfOther = await world.computer(other);
  await service.settled();
  const grantId = await world.active(technician, computer);
  const accountId = String((await world.desired(computer)).accounts?.[0]?.['id']);
  const pending = await world.start(second);
  const ruleId = await world.rule(customer, { name: 'Tills', deviceTags: ['till'], approvals: 1 });
  const till = await world.computer(customer, { tags: ['till'] });
  await service.settled();
  const awaited = await world.start(till);
  await world.approve(technician, awaited);
  const requestId = await world.requestOf(technician, awaited);
  a = { msp, customer, technician, computer, pending, grantId, accountId, ruleId, requestId };
  Object.assign(strangers, {
    'another MSP`s administrator': ofOther.actor,
    'a sibling customer`s administrator': ofSibling.actor,
    'another MSP`s API client with every permission': {
      kind: 'client',
      id: oldId(),
      mspId: other.mspId,
      tenantId: other.tenantId,
      access: [{ tenantId: other.tenantId, permissions: [...permissions] }],
    },
    'another MSP`s device': deviceOfOther.actor,
    'a device of the same customer': beside.actor,
  });
});
afterAll(() => service.close());

const everyone = () => Object.entries(strangers);
const entities = (fields: string) => `query ($refs: [_Any!]!) { _entities(representations: $refs) { __typename ${fields} } }`;

/** Each way to name something of tenant A: the same call with a random old id must answer the same. */
interface Attempt {
  query: string;
  variables: (
    ids: Record<'tenant' | 'device' | 'login' | 'grant' | 'account' | 'code' | 'technician' | 'rule' | 'request', string>,
  ) => object;
  /** The refusal that callers without the permission for the operation get, whatever the id. */
  kinds: Actor['kind'][];
}
const attempts: Record<string, Attempt> = {
  'Query.loginRequest': {
    query: 'query ($id: ID!) { loginRequest(id: $id) { id hostName } }',
    variables: ({ login }) => ({ id: login }),
    kinds: ['technician', 'client', 'device'],
  },
  'Query.loginRequestByCode': {
    query: 'query ($code: String!) { loginRequestByCode(code: $code) { id hostName } }',
    variables: ({ code }) => ({ code }),
    kinds: ['technician'],
  },
  'Query.grant': {
    query: 'query ($id: ID!) { grant(id: $id) { id accountName } }',
    variables: ({ grant }) => ({ id: grant }),
    kinds: ['technician', 'client'],
  },
  'Query.waiting': { query: '', variables: () => ({}), kinds: [] }, // names nothing; push.int-spec.ts shows that it answers the caller's own
  'Mutation.startLogin': { query: '', variables: () => ({}), kinds: [] }, // names nothing but a fresh id
  'Mutation.cancelLogin': {
    query: 'mutation ($id: ID!) { cancelLogin(input: { id: $id }) { __typename ... on Problem { message } } }',
    variables: ({ login }) => ({ id: login }),
    kinds: ['device'],
  },
  'Mutation.approveLogin': {
    query:
      'mutation ($id: ID!, $code: String!) { approveLogin(input: { id: $id, code: $code, assertion: "{}" }) { __typename ... on Problem { message } } }',
    variables: ({ login, code }) => ({ id: login, code }),
    kinds: ['technician'],
  },
  'Mutation.denyLogin': {
    query: 'mutation ($id: ID!, $code: String!) { denyLogin(input: { id: $id, code: $code }) { __typename ... on Problem { message } } }',
    variables: ({ login, code }) => ({ id: login, code }),
    kinds: ['technician'],
  },
  'Query.accessRule': {
    query: 'query ($id: ID!) { accessRule(id: $id) { id name } }',
    variables: ({ rule }) => ({ id: rule }),
    kinds: ['technician', 'client'],
  },
  'Query.explainAccess': {
    query:
      'query ($technician: ID!, $device: ID!) { explainAccess(technicianId: $technician, deviceId: $device, kind: LOCAL_ADMIN) { allowed why considered { name } } }',
    variables: ({ technician, device }) => ({ technician, device }),
    kinds: ['technician', 'client'],
  },
  'Query.accessRequest': {
    query: 'query ($id: ID!) { accessRequest(id: $id) { id reason loginRequest { hostName } } }',
    variables: ({ request }) => ({ id: request }),
    kinds: ['technician', 'client'],
  },
  'Mutation.createAccessRule': {
    query:
      'mutation ($id: ID!, $tenant: ID!) { createAccessRule(input: { id: $id, tenantId: $tenant, name: "Mine", kinds: [LOCAL_ADMIN] }) { __typename ... on Problem { message } } }',
    variables: ({ tenant }) => ({ id: newId(), tenant }),
    kinds: ['technician', 'client'],
  },
  'Mutation.updateAccessRule': {
    query: 'mutation ($id: ID!) { updateAccessRule(input: { id: $id, enabled: false }) { __typename ... on Problem { message } } }',
    variables: ({ rule }) => ({ id: rule }),
    kinds: ['technician', 'client'],
  },
  'Mutation.removeAccessRule': {
    query: 'mutation ($id: ID!) { removeAccessRule(input: { id: $id }) { __typename ... on Problem { message } } }',
    variables: ({ rule }) => ({ id: rule }),
    kinds: ['technician', 'client'],
  },
  'Mutation.approveAccess': {
    query: 'mutation ($id: ID!) { approveAccess(input: { id: $id, assertion: "{}" }) { __typename ... on Problem { message } } }',
    variables: ({ request }) => ({ id: request }),
    kinds: ['technician'],
  },
  'Mutation.denyAccess': {
    query: 'mutation ($id: ID!) { denyAccess(input: { id: $id, reason: "No." }) { __typename ... on Problem { message } } }',
    variables: ({ request }) => ({ id: request }),
    kinds: ['technician'],
  },
  'Mutation.cancelAccess': {
    query: 'mutation ($id: ID!) { cancelAccess(input: { id: $id }) { __typename ... on Problem { message } } }',
    variables: ({ request }) => ({ id: request }),
    kinds: ['technician'],
  },
  'Tenant.accessRules': {
    query: entities('... on Tenant { accessRules { edges { node { id name } } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'Tenant.accessRequests': {
    query: entities('... on Tenant { accessRequests { edges { node { id reason } } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'reference AccessRule': {
    query: entities('... on AccessRule { id name }'),
    variables: ({ rule }) => ({ refs: [{ __typename: 'AccessRule', id: rule }] }),
    kinds: ['technician', 'client'],
  },
  'reference AccessRequest': {
    query: entities('... on AccessRequest { id reason }'),
    variables: ({ request }) => ({ refs: [{ __typename: 'AccessRequest', id: request }] }),
    kinds: ['technician', 'client'],
  },
  'Mutation.requestEntraAccess': {
    query: `mutation ($tenant: ID!) { requestEntraAccess(input: { id: "${newId()}", tenantId: $tenant, roleName: "User Administrator", accountKind: JIT,
      sessionSeconds: 60, recipientKey: "${'k'.repeat(43)}", assertion: "{}" }) { __typename ... on Problem { message } } }`,
    variables: ({ tenant }) => ({ tenant }),
    kinds: ['technician'],
  },
  'Mutation.endGrant': {
    query: 'mutation ($id: ID!) { endGrant(input: { id: $id }) { __typename ... on Problem { message } } }',
    variables: ({ grant }) => ({ id: grant }),
    kinds: ['technician', 'client'],
  },
  'Mutation.extendGrant': {
    query:
      'mutation ($new: ID!, $id: ID!) { extendGrant(input: { id: $new, grantId: $id, seconds: 60 }) { __typename ... on Problem { message } } }',
    variables: ({ grant }) => ({ new: newId(), id: grant }),
    kinds: ['technician', 'client'],
  },
  'Mutation.shortenGrant': {
    query:
      'mutation ($id: ID!) { shortenGrant(input: { id: $id, expiresAt: "2020-01-01T00:00:00Z" }) { __typename ... on Problem { message } } }',
    variables: ({ grant }) => ({ id: grant }),
    kinds: ['technician', 'client'],
  },
  'Mutation.endAllOfTechnician': {
    query:
      'mutation ($id: ID!) { endAllOfTechnician(input: { technicianId: $id, reason: "x" }) { __typename ... on Problem { message } } }',
    variables: ({ technician }) => ({ id: technician }),
    kinds: ['technician', 'client'],
  },
  'Mutation.reportStrayAccounts': { query: '', variables: () => ({}), kinds: [] }, // names nothing of the server's
  'Technician.grants': {
    query: entities('... on Technician { grants { edges { node { id } } } }'),
    variables: ({ technician }) => ({ refs: [{ __typename: 'Technician', id: technician }] }),
    kinds: ['technician', 'client'],
  },
  'Device.strayAccounts': {
    query: entities('... on Device { strayAccounts { name } }'),
    variables: ({ device }) => ({ refs: [{ __typename: 'Device', id: device }] }),
    kinds: ['technician', 'client'],
  },
  'Mutation.reportAccounts': {
    query:
      'mutation ($account: ID!, $grant: ID!) { reportAccounts(input: { revision: 99, reports: [{ accountId: $account, grantId: $grant, state: DISABLED, secondsAgo: 0, endReason: EXPIRED }] }) { __typename ... on Problem { message } } }',
    variables: ({ account, grant }) => ({ account, grant }),
    kinds: ['device'],
  },
  'Mutation.updateJitSettings': {
    query: 'mutation ($id: ID!) { updateJitSettings(input: { tenantId: $id, totpLogin: true }) { __typename ... on Problem { message } } }',
    variables: ({ tenant }) => ({ id: tenant }),
    kinds: ['technician', 'client'],
  },
  'Mutation.updateLapsSettings': {
    query:
      'mutation ($id: ID!) { updateLapsSettings(input: { tenantId: $id, localEnabled: true }) { __typename ... on Problem { message } } }',
    variables: ({ tenant }) => ({ id: tenant }),
    kinds: ['technician', 'client'],
  },
  'Tenant.lapsSettings': {
    query: entities('... on Tenant { lapsSettings { localEnabled { value } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'Tenant.settingsHistory': {
    query: entities('... on Tenant { settingsHistory { edges { node { id } } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'Tenant.jitSettings': {
    query: entities('... on Tenant { jitSettings { totpLogin { value } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'Tenant.grants': {
    query: entities('... on Tenant { grants { edges { node { id } } } }'),
    variables: ({ tenant }) => ({ refs: [{ __typename: 'Tenant', id: tenant }] }),
    kinds: ['technician', 'client'],
  },
  'Device.grants': {
    query: entities('... on Device { grants { edges { node { id } } } }'),
    variables: ({ device }) => ({ refs: [{ __typename: 'Device', id: device }] }),
    kinds: ['technician', 'client'],
  },
  'Device.offlineAccess': {
    query: entities('... on Device { offlineAccess { technicianId accountId email } }'),
    variables: ({ device }) => ({ refs: [{ __typename: 'Device', id: device }] }),
    kinds: ['device'],
  },
  'Mutation.reportOfflineLogins': {
    query: `mutation ($account: ID!, $technician: ID!) { reportOfflineLogins(input: { logins: [{ id: "${newId()}", grantId: "${newId()}",
      accountId: $account, technicianId: $technician, secondsAgo: 1, sessionSeconds: 60 }] }) { __typename ... on Problem { message } } }`,
    variables: ({ account, technician }) => ({ account, technician }),
    kinds: ['device'],
  },
  'Device.desiredState': {
    query: entities('... on Device { desiredState { revision } }'),
    variables: ({ device }) => ({ refs: [{ __typename: 'Device', id: device }] }),
    kinds: ['device'],
  },
  'reference LoginRequest': {
    query: entities('... on LoginRequest { id hostName }'),
    variables: ({ login }) => ({ refs: [{ __typename: 'LoginRequest', id: login }] }),
    kinds: ['technician', 'client', 'device'],
  },
  'reference Grant': {
    query: entities('... on Grant { id accountName }'),
    variables: ({ grant }) => ({ refs: [{ __typename: 'Grant', id: grant }] }),
    kinds: ['technician', 'client', 'device'],
  },
};

describe('what is tenant A`s', () => {
  test('every operation and every field that leads to rows has an attempt here', () => {
    const sdl = parse(readFileSync(join(import.meta.dirname, '..', 'schema.graphql'), 'utf8'));
    const named = (type: string) =>
      sdl.definitions.flatMap((definition) =>
        definition.kind === 'ObjectTypeDefinition' && definition.name.value === type ? (definition.fields ?? []) : [],
      ) as FieldDefinitionNode[];
    const expected = ['Query', 'Mutation', 'Tenant', 'Device', 'Technician'].flatMap((type) =>
      named(type).flatMap((field) => (field.name.value === 'id' ? [] : [`${type}.${field.name.value}`])),
    );
    expect(
      Object.keys(attempts)
        .filter((name) => name.includes('.'))
        .sort(),
    ).toEqual(expected.sort());
  });

  test.each(Object.entries(attempts).filter(([, attempt]) => attempt.query !== ''))(
    '%s: to strangers the same as an id that does not exist',
    async (_, { query, variables, kinds }) => {
      const real = {
        tenant: a.customer.tenantId,
        device: a.computer.actor.id,
        login: a.pending.id,
        grant: a.grantId,
        account: a.accountId,
        code: a.pending.code,
        technician: a.technician.actor.id,
        rule: a.ruleId,
        request: a.requestId,
      };
      const unknown = {
        tenant: oldId(),
        device: oldId(),
        login: oldId(),
        grant: oldId(),
        account: oldId(),
        code: 'A'.repeat(22),
        technician: oldId(),
        rule: oldId(),
        request: oldId(),
      };
      const nonsense = {
        tenant: "'",
        device: 'x',
        login: '',
        grant: '1 or 1=1',
        account: '\u0000',
        code: '\u0000',
        technician: '',
        rule: 'x',
        request: "'",
      };
      for (const [name, who] of everyone()) {
        const [got, ofUnknown, ofNonsense] = await Promise.all(
          [real, unknown, nonsense].map((ids) => service.send(who, query, variables(ids))),
        );
        expect([name, withoutIds(got)]).toEqual([name, withoutIds(ofUnknown)]);
        expect([name, withoutIds(got)]).toEqual([name, withoutIds(ofNonsense)]);
        const said = JSON.stringify(got);
        if (kinds.includes(who.kind)) expect([name, said]).toEqual([name, expect.stringMatching(/NOT_FOUND|"NotFound"|"InvalidInput"/)]);
        else expect([name, said]).toEqual([name, expect.stringContaining('FORBIDDEN')]);
        expect(said).not.toMatch(/ws-07|jit-anna|Contoso|Tills/);
      }
      // It is all still there, unchanged, for those whose it is.
      expect(await world.login(a.technician.actor, a.pending.id)).toMatchObject({ state: 'PENDING' });
      expect(await world.grant(a.technician, a.grantId)).toMatchObject({ state: 'ACTIVE' });
      expect(await world.accessRequest(a.technician, a.requestId)).toMatchObject({ state: 'PENDING', ruleName: 'Tills', approvals: [] });
    },
  );

  test('foreign ids among own ones refuse nothing of one`s own and give nothing foreign', async () => {
    const own = await world.computer(a.customer);
    await service.settled();
    const refs = [a.computer.actor.id, oldId(), own.actor.id].map((id) => ({ __typename: 'Device', id }));
    const answer = await service.send(a.technician.actor, entities('... on Device { id grants { edges { node { id } } } }'), { refs });
    expect(answer.data?.['_entities']).toEqual([
      { __typename: 'Device', id: refs[0]?.id, grants: { edges: [{ node: { id: a.grantId } }] } },
      { __typename: 'Device', id: refs[1]?.id, grants: null },
      { __typename: 'Device', id: refs[2]?.id, grants: { edges: [] } },
    ]);
    expect(answer.errors?.map((error) => error.extensions.code)).toEqual(['NOT_FOUND']);
  });

  test('a stub of another service`s thing says no more than the id that was asked for', async () => {
    for (const __typename of ['Tenant', 'Device', 'Technician']) {
      const id = newId();
      const answer = await service.send(strangers['another MSP`s device'] as Actor, entities(`... on ${__typename} { id }`), {
        refs: [{ __typename, id }],
      });
      expect(answer).toEqual({ data: { _entities: [{ __typename, id }] } });
    }
  });
});

test('a caller whose tenant and MSP do not fit reaches nothing, though it names the right ones', async () => {
  for (const forged of [
    { ...(strangers['another MSP`s administrator'] as Actor), tenantId: a.customer.tenantId },
    { ...(strangers['another MSP`s administrator'] as Actor), mspId: a.msp.mspId },
  ]) {
    for (const [name, { query, variables }] of Object.entries(attempts)) {
      if (query === '') continue;
      const ids = {
        tenant: a.customer.tenantId,
        device: a.computer.actor.id,
        login: a.pending.id,
        grant: a.grantId,
        account: a.accountId,
        code: a.pending.code,
        technician: a.technician.actor.id,
        rule: a.ruleId,
        request: a.requestId,
      };
      expect([name, JSON.stringify(await service.send(forged, query, variables(ids)))]).toEqual([
        name,
        expect.stringMatching(/NOT_FOUND|"NotFound"|FORBIDDEN/),
      ]);
    }
  }
});

describe('who may call at all', () => {
  const every = [
    ...Object.values(attempts).map(({ query }) => query),
    'mutation { startLogin(input: { id: "x", method: QR }) { __typename } }',
    '{ _service { sdl } }',
    '{ __typename }',
    '{ nonsense',
  ].filter(Boolean);

  test('without the gateway`s word nothing runs', async () => {
    for (const query of every) {
      const response = await fetch(service.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tenant': a.customer.tenantId, 'x-user': a.technician.actor.id },
        body: JSON.stringify({ query }),
      });
      expect([query, response.status]).toEqual([query, 401]);
    }
  });

  test.each<[string, Principal, string]>([
    ['nobody', { kind: 'anonymous' }, 'UNAUTHENTICATED'],
    ['the gateway itself', { kind: 'gateway' }, 'FORBIDDEN'],
  ])('%s may call nothing', async (_, principal, code) => {
    const ids = {
      tenant: a.customer.tenantId,
      device: a.computer.actor.id,
      login: a.pending.id,
      grant: a.grantId,
      account: a.accountId,
      code: a.pending.code,
      technician: a.technician.actor.id,
      rule: a.ruleId,
      request: a.requestId,
    };
    for (const [name, { query, variables }] of Object.entries(attempts)) {
      if (query === '') continue;
      const answer = await service.send(principal, query, variables(ids));
      expect([name, answer.errors?.[0]?.extensions.code]).toEqual([name, code]);
    }
  });

  test('an auditor reads and changes nothing', async () => {
    const auditor = technicianActor(a.msp, 'AUDITOR');
    expect(await world.login(auditor, a.pending.id)).toMatchObject({ id: a.pending.id });
    await expect(world.mutate(auditor, 'endGrant', '... on Grant { __typename }', { id: a.grantId })).rejects.toThrow('FORBIDDEN');
    await expect(
      world.mutate(auditor, 'updateJitSettings', '... on Tenant { __typename }', { tenantId: a.customer.tenantId }),
    ).rejects.toThrow('FORBIDDEN');
    await expect(world.approve({ ...a.technician, actor: auditor }, a.pending)).rejects.toThrow('FORBIDDEN');
    await expect(world.ask(auditor, `{ loginRequestByCode(code: "${a.pending.code}") { id } }`)).rejects.toThrow('FORBIDDEN');
  });

  test('an API client ends grants but approves nothing, whatever it is allowed', async () => {
    const client: Actor = {
      kind: 'client',
      id: oldId(),
      mspId: a.msp.mspId,
      tenantId: a.msp.tenantId,
      access: [{ tenantId: a.msp.tenantId, permissions: [...permissions] }],
    };
    await expect(world.approve({ ...a.technician, actor: client }, a.pending)).rejects.toThrow('FORBIDDEN');
    const second = await world.computer(a.customer);
    await service.settled();
    const grantId = await world.active(a.technician, second);
    expect(await world.mutate(client, 'endGrant', '... on Grant { __typename id state }', { id: grantId })).toMatchObject({
      id: grantId,
      state: 'ENDING',
    });
    expect(await service.audited('grant.end-requested', grantId)).toMatchObject({ actorKind: 'client', actorId: client.id });
  });

  test('a device sees its own login with its grant', async () => {
    const second = await world.computer(a.customer);
    await service.settled();
    const login = await world.start(second);
    const grantId = idOf((await world.approve(a.technician, login))['grant']);
    expect(await world.login(second.actor, login.id)).toMatchObject({ grant: { id: grantId } });
  });
});

describe('the database', () => {
  test('every table that the roles can reach stands under forced row-level security', async () => {
    const open = await service.rows(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'jit_policy' and c.relkind in ('r', 'p', 'v', 'm') and c.relname not in ('outbox', 'inbox', 'migration')
         and not (c.relrowsecurity and c.relforcerowsecurity)`,
    );
    expect(open).toEqual([]);
  });
});

/** An answer with what differs by the asked id taken out. */
function withoutIds(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll(/"id":"[^"]*"/g, '"id":"…"'));
}
