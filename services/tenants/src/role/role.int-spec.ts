import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { accessOf, type Actor, type Role } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { createTenant, joinAs, joinFirst, only, problem, startTestTenants, technician, type TestTenants } from '../test-tenants.support.ts';

let tenants: TestTenants;
let mspId: Id;
let administrator: Actor;
let contoso: Id;
let fabrikam: Id;

beforeAll(async () => {
  tenants = await startTestTenants();
  ({ mspId, administrator } = await joinFirst(tenants));
  contoso = await createTenant(tenants, administrator, 'Contoso');
  fabrikam = await createTenant(tenants, administrator, 'Fabrikam');
});
afterAll(() => tenants.close());

const held = '... on Technician { id roles { id role tenant { id } } }';
const assign = `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { ${problem} ${held} } }`;
const remove = `mutation ($input: RemoveRoleInput!) { removeRole(input: $input) { ${problem} ${held} } }`;

async function invited(roles: Role[], tenantId = mspId): Promise<Id> {
  const input = { id: newId(), tenantId, email: `${newId()}@example.com`, roles };
  const invite = `mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { ${problem} } }`;
  expect(only(await tenants.send(administrator, invite, { input })).__typename).toBe('Invitation');
  return input.id;
}
const rolesOf = async (id: Id): Promise<{ id: Id; role: Role; tenant: { id: Id } }[]> =>
  only(
    await tenants.send(administrator, 'query ($id: ID!) { technician(id: $id) { __typename roles { id role tenant { id } } } }', { id }),
  )['roles'] as never;

describe('a role', () => {
  test('counts where it is held and below, and nowhere else', async () => {
    const carl: Actor = { ...technician(mspId, mspId), kind: 'technician', access: accessOf([{ tenantId: contoso, role: 'AUDITOR' }]) };
    const seen = await tenants.send(carl, '{ tenants { edges { node { name } } } }');
    expect(seen.data?.['tenants']).toEqual({ edges: [{ node: { name: 'Contoso' } }] });
    const there = await tenants.send(carl, 'query ($id: ID!) { tenant(id: $id) { auditLog { edges { cursor } } } }', { id: contoso });
    expect(there.errors).toBeUndefined();
    expect((await tenants.send(carl, 'query ($id: ID!) { tenant(id: $id) { name } }', { id: fabrikam })).errors?.[0]?.extensions.code).toBe(
      'NOT_FOUND',
    );
  });

  test('reaches each tenant only with what is held there', async () => {
    const access = accessOf([
      { tenantId: contoso, role: 'ADMINISTRATOR' },
      { tenantId: fabrikam, role: 'AUDITOR' },
    ]);
    const caller: Actor = { ...technician(mspId, mspId), kind: 'technician', access };
    const rename = `mutation ($input: RenameTenantInput!) { renameTenant(input: $input) { ${problem} } }`;
    expect(only(await tenants.send(caller, rename, { input: { id: contoso, name: 'Contoso Dental' } })).__typename).toBe('Tenant');
    expect(only(await tenants.send(caller, rename, { input: { id: fabrikam, name: 'Mine' } })).__typename).toBe('NotFound');
  });

  test('is given once, and the same call again answers the same', async () => {
    const { id: technicianId } = await joinAs(tenants, administrator, 'olga@example.com', 'AUDITOR', mspId);
    const input = { id: newId(), technicianId, tenantId: contoso, role: 'TECHNICIAN' };
    for (let call = 0; call < 2; call++) expect(only(await tenants.send(administrator, assign, { input })).__typename).toBe('Technician');
    expect(await rolesOf(technicianId)).toMatchObject([
      { role: 'AUDITOR', tenant: { id: mspId } },
      { id: input.id, role: 'TECHNICIAN', tenant: { id: contoso } },
    ]);
    expect(only(await tenants.send(administrator, assign, { input: { ...input, id: newId() } })).__typename).toBe('Conflict');
  });

  test.each<[string, () => Actor, () => Id, Role, string]>([
    ['by an administrator of another customer', () => technician(mspId, fabrikam), () => contoso, 'HELPDESK', 'NotFound'],
    ['above the giver', () => technician(mspId, contoso), () => mspId, 'HELPDESK', 'NotFound'],
  ])('is not given %s', async (_, caller, tenantId, role, expected) => {
    const technicianId = await invited(['AUDITOR'], contoso);
    const input = { id: newId(), technicianId, tenantId: tenantId(), role };
    expect(only(await tenants.send(caller(), assign, { input })).__typename).toBe(expected);
    expect(await rolesOf(technicianId)).toHaveLength(1);
  });

  test('is not given to whoever holds an invitation: somebody else may have the link', async () => {
    const technicianId = await invited(['AUDITOR'], contoso);
    const input = { id: newId(), technicianId, tenantId: mspId, role: 'ADMINISTRATOR' };
    expect(only(await tenants.send(administrator, assign, { input }))).toMatchObject({
      __typename: 'Conflict',
      message: expect.stringContaining('not joined'),
    });
    expect(await rolesOf(technicianId)).toHaveLength(1);
  });

  test('is taken away at once, with its message and its audit event', async () => {
    const technicianId = await invited(['TECHNICIAN']);
    const [role] = await rolesOf(technicianId);
    expect(only(await tenants.send(administrator, remove, { input: { id: role?.id } }))).toMatchObject({
      __typename: 'Technician',
      roles: [],
    });
    expect(only(await tenants.send(administrator, remove, { input: { id: role?.id } })).__typename).toBe('NotFound');
  });

  test('of the last administrator stays, also when two are taken at once', async () => {
    const [own] = await rolesOf(administrator.id);
    expect(only(await tenants.send(administrator, remove, { input: { id: own?.id } })).__typename).toBe('Conflict');
    expect(await rolesOf(administrator.id)).toHaveLength(1);
  });
});
