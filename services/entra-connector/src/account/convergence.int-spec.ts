import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Id } from '@stint/kernel';
import { EntraWorld } from '../testing/entra-world.ts';
import { markerOf } from './account.domain.ts';

let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());

const states = async (grantId: Id) => (await world.reports(grantId)).map(({ state }) => state);
const actions = async (tenantId: Id) => (await world.audits(tenantId)).map(({ action }) => action);

async function active(wanted: Partial<Parameters<EntraWorld['want']>[0]> = {}, given: Parameters<EntraWorld['customer']>[0] = {}) {
  const { tenantId, entra } = await world.customer(given);
  const technicianId = await world.technician();
  const told = await world.want({ tenantId, technicianId, ...wanted });
  await world.pass(30);
  expect(await states(told.grantId)).toEqual(['ACTIVE']);
  const user = entra.users().find(({ employeeId }) => employeeId !== null);
  if (user === undefined) throw new Error('No account was made.');
  return { tenantId, entra, technicianId, told, grantId: told.grantId, user };
}

describe("Microsoft's weather", () => {
  const changes = [
    { what: 'making the account', method: 'POST', path: '/v1.0/users' },
    { what: 'enabling it', method: 'PATCH', path: '/v1.0/users/*' },
    { what: 'the pass', method: 'POST', path: '/v1.0/users/*/authentication/temporaryAccessPassMethods' },
    { what: 'the role', method: 'POST', path: '/v1.0/roleManagement/directory/roleAssignments' },
  ];
  it.each(changes)('a lost answer about $what changes nothing', async ({ method, path }) => {
    const fault = world.graph.fail({ method, path, when: 'AFTER', times: 1, answer: { status: 504 } });
    const { entra, grantId } = await active({}, { licences: 'FREE' });
    expect(fault.hits).toBe(1);
    expect(entra.users().filter(({ employeeId }) => employeeId !== null)).toHaveLength(1);
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
  });

  it('what is shown late is waited for, and never made twice', async () => {
    world.graph.setConsistency({ seconds: 40 });
    const { tenantId, entra } = await world.customer();
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    await world.pass(300);
    const atFirst = await states(grantId);
    await world.pass(3900);
    world.graph.setConsistency({ seconds: 0 });
    expect(atFirst).toEqual(['ACTIVE']);
    expect(entra.users().filter(({ employeeId }) => employeeId !== null)).toHaveLength(1);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });

  it('an outage of a day: each end happens after it, and was told as stuck', async () => {
    const { tenantId, entra, grantId } = await active();
    const outage = world.graph.fail({ path: /.*/, times: 1_000_000, answer: { status: 503 } });
    await world.pass(86_400);
    expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK']);
    expect(await actions(tenantId)).toContain('entra-access.end-stuck');
    outage.cancel();
    await world.pass(900);
    expect(world.leftovers(entra)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE', 'STUCK', 'ENDED']);
  });

  it('a permission that is taken away: stuck with its name, and ended when it is back', async () => {
    const { tenantId, entra, grantId } = await active();
    const { clientId } = world.connected(tenantId);
    const forbidden = world.graph.fail({
      method: 'PATCH',
      path: '/v1.0/users/*',
      times: 1_000_000,
      answer: { status: 403, code: 'Authorization_RequestDenied' },
    });
    await world.pass(4200);
    expect((await world.reports(grantId)).at(-1)).toMatchObject({
      state: 'STUCK',
      why: expect.stringContaining('lacks a permission') as unknown,
    });
    forbidden.cancel();
    expect(clientId).toBeTruthy();
    await world.pass(600);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });

  it('a password that cannot be replaced goes with its account', async () => {
    const { tenantId, entra } = await world.customer({}, { directoryRoles: 'none' });
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    await world.pass(3700);
    expect(await states(grantId)).toEqual(['ACTIVE', 'ENDED']);
    expect(world.leftovers(entra, true)).toEqual([]);
  });
});

describe('what others change', () => {
  it.each([
    { what: 'the account is switched off', change: (entra: Entra, id: string) => entra.changeUser(id, { accountEnabled: false }) },
    { what: 'the account is deleted', change: (entra: Entra, id: string) => entra.deleteUser(id) },
  ])('$what: the grant ends, and is not given again', async ({ change }) => {
    const { tenantId, entra, grantId, user } = await active();
    await world.pass(400);
    change(entra, user.id);
    await world.reconcile(tenantId);
    await world.pass(60);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await world.reports(grantId)).at(-1)).toMatchObject({
      state: 'ENDED',
      why: expect.stringContaining('somebody else') as unknown,
    });
  });

  it('a role that was added, an account at rest that was enabled, a new name: taken back, and told', async () => {
    const { tenantId, entra, user } = await active();
    entra.assignRole(user.id, 'Global Administrator');
    entra.changeUser(user.id, { userPrincipalName: `renamed@${entra.initialDomain}` });
    await world.reconcile(tenantId);
    await world.pass(60);
    expect(entra.roleAssignments(user.id).map(({ roleName }) => roleName)).toEqual(['User Administrator']);
    await world.pass(3600);
    entra.changeUser(user.id, { accountEnabled: true });
    await world.reconcile(tenantId);
    await world.pass(60);
    expect(world.leftovers(entra)).toEqual([]);
    const told = (await world.audits(tenantId))
      .filter(({ action }) => action === 'entra-account.drifted')
      .map(({ details }) => details['what']);
    expect(told).toEqual(['renamed', 'enabled']);
    expect(await actions(tenantId)).toContain('entra-access.stray-removed');
  });

  it('the last Global Administrator keeps the role until there is another, and nobody can sign in', async () => {
    const { tenantId, entra, grantId, user } = await active({ roleName: 'Global Administrator' }, { licences: 'FREE' });
    entra.assignRole(world.servicePrincipal(tenantId), 'Privileged Authentication Administrator');
    await world.pass(4200);
    expect(entra.roleAssignments(user.id)).toHaveLength(1);
    expect(entra.passes(user.id)).toEqual([]);
    expect((await world.reports(grantId)).at(-1)).toMatchObject({
      state: 'STUCK',
      why: expect.stringContaining('last Global Administrator') as unknown,
    });
    entra.assignRole(entra.addUser().id, 'Global Administrator');
    await world.pass(900);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });

  it('a technician who is switched off loses access at once, though services/jit-policy says nothing', async () => {
    const { entra, grantId, technicianId } = await active();
    await world.technician({ technicianId, active: false });
    await world.tenancy.asSystem((tx) => world.accounts.dueOfTechnician(tx, world.mspId, technicianId, world.clock.now()));
    await world.pass(400);
    expect(world.leftovers(entra)).toEqual([]);
    expect((await states(grantId)).at(-1)).toBe('ENDED');
  });
});

type Entra = Awaited<ReturnType<typeof active>>['entra'];

describe('strays', () => {
  it('are removed by their mark, with their roles and from the recycle bin; those of others are not', async () => {
    const { tenantId, entra } = await world.customer();
    const stray = entra.addUser({ employeeId: markerOf(tenantId, 'nobody') });
    entra.assignRole(stray.id, 'User Administrator');
    const deleted = entra.addUser({ employeeId: markerOf(tenantId, 'gone') });
    entra.deleteUser(deleted.id);
    const foreign = entra.addUser({ employeeId: markerOf('another tenant', 'nobody') });
    await world.reconcile(tenantId);
    await world.pass(600);
    expect(entra.users().map(({ id }) => id)).toEqual([foreign.id]);
    expect(entra.deletedUsers()).toEqual([]);
    expect((await actions(tenantId)).filter((action) => action === 'entra-access.stray-removed')).toHaveLength(2 + 1);
  });

  it('of a backup that was restored: what it does not know is removed, what it revives is ended', async () => {
    const { tenantId, entra, grantId } = await active();
    const backup = await world.rows('select * from entra_grant where tenant_id = $1', [tenantId]);
    expect(backup).toHaveLength(1);
    // The account was made after the backup; the grant is as active as it was then.
    await world.rows('delete from entra_account where tenant_id = $1 returning 1', [tenantId]);
    await world.rows('delete from entra_grant where tenant_id = $1 returning 1', [tenantId]);
    await world.reconcile(tenantId);
    await world.pass(900);
    expect(world.leftovers(entra, true)).toEqual([]);
    expect(await states(grantId)).toEqual(['ACTIVE']);
  });
});

describe('several processes', () => {
  it('that work on the same account: the one whose lease is over does nothing any more', async () => {
    const { tenantId, entra } = await world.customer();
    const { grantId } = await world.want({ tenantId, technicianId: await world.technician() });
    const [slow] = await world.claim();
    if (slow === undefined) throw new Error('Nothing is due.');
    expect(await world.claim()).toEqual([]);
    world.clock.advance(121);
    await world.pass(10);
    expect(await states(grantId)).toEqual(['ACTIVE']);
    const before = world.graph.exchanges.length;
    await world.convergence().converge(world.tenancy, slow, new AbortController().signal);
    expect(world.graph.exchanges.length).toBe(before);
    await world.pass(3600);
    expect(world.leftovers(entra)).toEqual([]);
  });

  it('share tenants fairly: a busy one does not keep others waiting', async () => {
    const busy = await world.customer();
    for (let count = 0; count < 6; count += 1) await world.want({ tenantId: busy.tenantId, technicianId: await world.technician() });
    const calm = await world.customer();
    await world.want({ tenantId: calm.tenantId, technicianId: await world.technician() });
    const claims = await world.claim();
    expect(claims.filter(({ tenantId }) => tenantId === busy.tenantId)).toHaveLength(4);
    expect(claims.filter(({ tenantId }) => tenantId === calm.tenantId)).toHaveLength(1);
    // Whoever claimed them is dead; its leases run out.
    world.clock.advance(121);
    await world.pass(9000);
    expect([...world.leftovers(busy.entra), ...world.leftovers(calm.entra)]).toEqual([]);
  });
});

describe('a connection that ends', () => {
  it('takes everything along, and says when nothing is left', async () => {
    const { tenantId, entra, grantId } = await active();
    await world.remains.end(tenantId);
    expect(await world.remains.count(tenantId)).toBe(2);
    await world.pass(600);
    expect(world.leftovers(entra, true)).toEqual([]);
    expect(await world.remains.count(tenantId)).toBe(0);
    expect((await world.reports(grantId)).at(-1)).toMatchObject({ state: 'ENDED', why: expect.stringContaining('connection') as unknown });
  });
});
