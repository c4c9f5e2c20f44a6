import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import {
  anonymous,
  createTenant,
  joinAs,
  joinBy,
  joinFirst,
  only,
  problem,
  startTestTenants,
  technician,
  type TestTenants,
} from '../test-tenants.support.ts';

let tenants: TestTenants;
let mspId: Id;
let administrator: Actor;
beforeAll(async () => {
  tenants = await startTestTenants();
  ({ mspId, administrator } = await joinFirst(tenants));
});
afterAll(() => tenants.close());

const inviteMutation = `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} ... on Invitation { link technician { id joined } } } }`;
const update = `mutation ($input: UpdateTechnicianInput!) { updateTechnician(input: $input) { ${problem} ... on Technician { active roles { role } } } }`;
const credentialQuery = 'query ($id: ID!) { credential(id: $id) { kind subjectId } }';
const principalQuery = 'query ($id: ID!) { technicianPrincipal(id: $id) { access { tenantId permissions } } }';

const invitationInput = (email: string, tenantId = mspId) => ({ id: newId(), tenantId, email, roles: ['TECHNICIAN'] });
const invite = async (email: string) => {
  const input = invitationInput(email);
  const invited = only(await tenants.send(administrator, inviteMutation, { input }));
  return { id: input.id, token: String(invited['link']).split('#')[1] };
};

describe('the first-administrator link', () => {
  test('works once and makes the MSP', async () => {
    const { answer } = await joinBy(tenants, tenants.firstLink.split('#')[1], { email: 'eve@example.com', mspName: 'Evil' });
    expect(answer.__typename).toBe('InvitationInvalid');
    const seen = await tenants.send(
      administrator,
      '{ viewer { kind tenant { name } technician { email roles { role tenant { id } } joined } } tenants { edges { node { name } } } }',
    );
    expect(seen.data?.['viewer']).toEqual({
      kind: 'TECHNICIAN',
      tenant: { name: 'Northwind' },
      technician: { email: 'ada@example.com', roles: [{ role: 'ADMINISTRATOR', tenant: { id: mspId } }], joined: true },
    });
    expect(seen.data?.['tenants']).toEqual({ edges: [{ node: { name: 'Northwind' } }] });
  });
});

describe('an invitation', () => {
  test('lets one of many in', async () => {
    const { token } = await invite('many@example.com');
    const answers = await Promise.all(Array.from({ length: 100 }, () => joinBy(tenants, token)));
    const types = answers.map(({ answer }) => answer.__typename);
    expect(types.filter((type) => type === 'SignUp')).toHaveLength(1);
    expect(types.filter((type) => type === 'InvitationInvalid')).toHaveLength(99);
  });

  test('ends after 7 days', async () => {
    const { token } = await invite('late@example.com');
    tenants.clock.advance(7 * 24 * 3600 + 1);
    expect((await joinBy(tenants, token)).answer.__typename).toBe('InvitationInvalid');
  });

  test('made again for the same person ends the earlier link', async () => {
    const input = invitationInput('twice@example.com');
    const links = [];
    for (let round = 0; round < 2; round += 1)
      links.push(String(only(await tenants.send(administrator, inviteMutation, { input }))['link']).split('#')[1]);
    expect((await joinBy(tenants, links[0])).answer.__typename).toBe('InvitationInvalid');
    expect((await joinBy(tenants, links[1])).answer.__typename).toBe('SignUp');
  });

  test('for an address that is there already is a conflict', async () => {
    expect(only(await tenants.send(administrator, inviteMutation, { input: invitationInput('ADA@example.com') })).__typename).toBe(
      'Conflict',
    );
  });

  test.each([
    ['email', { email: 'nobody' }],
    ['email', { email: 'a\u0000@example.com' }],
    ['roles', { roles: [] }],
    ['id', { id: 'x' }],
  ])('with a wrong %s is refused', async (field, wrong) => {
    const answer = only(
      await tenants.send(
        administrator,
        `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { __typename ... on InvalidInput { field message } } }`,
        { input: { ...invitationInput('x@example.com'), ...wrong } },
      ),
    );
    expect(answer).toMatchObject({ __typename: 'InvalidInput', field });
  });

  test('is not for technicians to give', async () => {
    const answer = await tenants.send(technician(mspId, mspId, 'TECHNICIAN'), inviteMutation, {
      input: invitationInput('friend@example.com'),
    });
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});

describe('switching a technician off', () => {
  test('takes what they may do at once, and gives it back', async () => {
    const { id } = await joinAs(tenants, administrator, 'leaver@example.com');
    const look = async () => (await tenants.send({ kind: 'gateway' }, principalQuery, { id })).data;
    const may = { technicianPrincipal: { access: [{ tenantId: mspId, permissions: expect.arrayContaining(['login.approve']) }] } };
    expect(await look()).toEqual(may);
    expect(only(await tenants.send(administrator, update, { input: { id, active: false } }))).toMatchObject({ active: false });
    expect(await look()).toEqual({ technicianPrincipal: null });
    expect(only(await tenants.send(administrator, update, { input: { id, active: true } }))).toMatchObject({ active: true });
    expect(await look()).toEqual(may);
  });

  test.each([
    ['by oneself', () => administrator],
    ['as the last administrator', () => technician(mspId)],
  ])('%s is a conflict', async (_, caller) => {
    const input = { id: administrator.id, active: false };
    expect(only(await tenants.send(caller(), update, { input })).__typename).toBe('Conflict');
  });
});

test('only the gateway may look credentials up', async () => {
  for (const caller of [administrator, anonymous]) {
    const answer = await tenants.send(caller, credentialQuery, { id: newId() });
    expect(answer.errors?.[0]?.extensions.code).toMatch(/FORBIDDEN|UNAUTHENTICATED/);
  }
});

describe('createTenant', () => {
  const create = `mutation ($input: CreateTenantInput!) { createTenant(input: $input) { ${problem} ... on InvalidInput { field } ... on Tenant { id name } } }`;
  // A UUIDv7 of the year 2022.
  const old = '017f22e2-79b0-7cc3-98c4-dc0c0c07398f';

  test('called again answers the same tenant, and with another name a conflict', async () => {
    tenants.clock.set(new Date());
    const input = { id: newId(), parentId: mspId, name: 'Contoso' };
    const first = only(await tenants.send(administrator, create, { input }));
    expect(first.__typename).toBe('Tenant');
    expect(only(await tenants.send(administrator, create, { input }))).toEqual(first);
    expect(only(await tenants.send(administrator, create, { input: { ...input, name: 'Other' } })).__typename).toBe('Conflict');
  });

  test.each<[string, object, string]>([
    ['a control character', { name: 'a\u0007b' }, 'name'],
    ['an empty name', { name: ' ' }, 'name'],
    ['101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['an id of another kind', { id: '3f6c0a52-0c4e-4c5a-9a46-7e0c4a0b7a11' }, 'id'],
    ['an id of another time', { id: old }, 'id'],
  ])('with %s is refused and changes nothing', async (_, wrong, field) => {
    const before = await tenants.send(administrator, '{ tenants { edges { node { id } } } }');
    expect(only(await tenants.send(administrator, create, { input: { id: newId(), parentId: mspId, name: 'X', ...wrong } }))).toMatchObject(
      { __typename: 'InvalidInput', field },
    );
    expect(await tenants.send(administrator, '{ tenants { edges { node { id } } } }')).toEqual(before);
  });

  test('with an unknown field is malformed', async () => {
    const answer = await tenants.send(administrator, create, { input: { id: newId(), parentId: mspId, name: 'X', colour: 'red' } });
    expect(answer.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  test('lists page by page', async () => {
    for (const name of ['A', 'B', 'C']) await createTenant(tenants, administrator, name);
    const names: string[] = [];
    let after: string | null = null;
    do {
      const answer: Awaited<ReturnType<TestTenants['send']>> = await tenants.send(
        administrator,
        'query ($after: String) { tenants(first: 2, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      const page = answer.data?.['tenants'] as unknown as {
        edges: { node: { name: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      names.push(...page.edges.map((edge) => edge.node.name));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(names).toEqual(['Northwind', 'Contoso', 'A', 'B', 'C']);
  });
});
