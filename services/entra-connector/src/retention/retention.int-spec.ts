import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addSeconds, newId, type Id } from '@stint/kernel';
import { EntraWorld } from '../testing/entra-world.ts';
import { RetentionConsumer } from './retention.consumer.ts';
import { RetentionRepository } from './retention.repository.ts';
import { RetentionSweep } from './retention.sweep.ts';

const daySeconds = 86_400;
const repository = new RetentionRepository();
const consumer = new RetentionConsumer(repository);
const sweep = new RetentionSweep(repository);
let world: EntraWorld;
beforeAll(async () => {
  world = await EntraWorld.start();
  // All of this has happened: nothing goes that is young by the database's clock.
  world.clock.set(addSeconds(new Date(), -3 * 365 * daySeconds));
});
afterAll(() => world.stop());

const keep = (tenantId: Id, days: number, version = 1): Promise<unknown> =>
  world.tenancy.asSystem((tx) =>
    consumer.auditRetentionChanged(tx, { mspId: world.mspId, tenantId, days, version }, { id: newId(), from: 'jit-policy' }),
  );
/** Sweeps as the service does: until nothing is due. */
const swept = async (): Promise<void> => {
  while ((await world.tenancy.asSystem((tx) => sweep.run(tx, world.clock.now()))) > 0);
};
const count = async (table: string, tenantId: Id): Promise<number> =>
  (await world.rows(`select 1 from ${table} where tenant_id = $1`, [tenantId])).length;
const left = async (tenantId: Id) => ({
  steps: await count('entra_step', tenantId),
  grants: await count('entra_grant', tenantId),
  accounts: await count('entra_account', tenantId),
});
const states = async (grantId: Id) => (await world.reports(grantId)).map(({ state }) => state);

/** A grant with all of its life. */
async function ended(given: Partial<Parameters<EntraWorld['want']>[0]> = {}) {
  const { tenantId, entra } =
    given.tenantId === undefined ? await world.customer() : { tenantId: given.tenantId, entra: world.connected(given.tenantId).entra };
  const told = await world.want({ tenantId, technicianId: await world.technician(), ...given });
  await world.pass(3_700);
  expect(await states(told.grantId)).toEqual(['ACTIVE', 'ENDED']);
  return { tenantId, entra, told, grantId: told.grantId };
}

test('grants, steps and accounts go when audit events do; what is younger, or of a tenant that did not say, stays', async () => {
  const [old, unsaid] = [await ended(), await ended()];
  await keep(old.tenantId, 40);
  await world.pass(35 * daySeconds);
  const before = await left(old.tenantId);
  await swept();
  expect(await left(old.tenantId)).toEqual(before);
  expect(before).toMatchObject({ grants: 1, accounts: 1 });

  const young = await ended({ tenantId: old.tenantId });
  await world.pass(6 * daySeconds);
  await swept();
  expect(await world.rows('select id from entra_grant where tenant_id = $1', [old.tenantId])).toEqual([{ id: young.grantId }]);
  // The first account was deleted after its rest: that is younger than 40 days, and nothing hangs on its row.
  expect(await left(old.tenantId)).toMatchObject({ accounts: 1 });
  expect((await left(old.tenantId)).steps).toBeGreaterThan(8);

  await world.pass(80 * daySeconds);
  await swept();
  expect(await left(old.tenantId)).toEqual({ steps: 0, grants: 0, accounts: 0 });
  expect(world.leftovers(old.entra, true)).toEqual([]);
  expect(await left(unsaid.tenantId)).toMatchObject({ grants: 1 });
});

test('what is not taken back yet is never forgotten, however old', async () => {
  const { tenantId, entra } = await world.customer({ licences: 'FREE' });
  await keep(tenantId, 30);
  const technicianId = await world.technician();
  const { grantId } = await world.want({ tenantId, technicianId });
  const own = entra.addUser({ userPrincipalName: `anna@${entra.initialDomain}`, mail: 'anna.berg@msp.example' });
  const { grantId: ownGrantId } = await world.want({ tenantId, technicianId, accountKind: 'OWN' });
  await world.pass(60);
  // Nobody was there for half a year.
  world.clock.advance(180 * daySeconds);
  await swept();
  expect(await left(tenantId)).toEqual({ steps: 0, grants: 2, accounts: 2 });
  expect(entra.roleAssignments(own.id)).toHaveLength(1);
  await world.pass(600);
  expect(world.leftovers(entra)).toEqual([]);
  expect(entra.roleAssignments(own.id)).toEqual([]);
  for (const id of [grantId, ownGrantId]) expect((await states(id)).at(-1)).toBe('ENDED');
});

test('an account at rest is deleted in Entra before it is forgotten here', async () => {
  const { tenantId, entra } = await ended({ accountRestDays: 90 });
  await keep(tenantId, 30);
  await world.pass(40 * daySeconds);
  await swept();
  expect(await left(tenantId)).toMatchObject({ grants: 0, accounts: 1 });
  expect(world.leftovers(entra, true)).toHaveLength(1);
  await world.pass(60 * daySeconds);
  await swept();
  expect(await left(tenantId)).toMatchObject({ grants: 0, accounts: 0 });
  expect(world.leftovers(entra, true)).toEqual([]);
});

test('a grant that is told of once more after it was forgotten brings nothing back', async () => {
  const { tenantId, entra, told } = await ended({ accountRestDays: 1 });
  await keep(tenantId, 30);
  await world.pass(40 * daySeconds);
  await swept();
  expect(await left(tenantId)).toMatchObject({ grants: 0, accounts: 0 });
  await world.want({ ...told, expiresAt: world.clock.now().toISOString() });
  await world.pass(600);
  expect(world.leftovers(entra, true)).toEqual([]);
  expect((await states(told.grantId)).slice(2)).not.toContain('ACTIVE');
});

test('the newest word on how long counts', async () => {
  const { tenantId } = await ended();
  await keep(tenantId, 400, 2);
  await keep(tenantId, 30, 1);
  await world.pass(60 * daySeconds);
  await swept();
  expect(await left(tenantId)).toMatchObject({ grants: 1 });
});

test('a clock that runs ahead takes nothing', async () => {
  world.clock.set(new Date());
  const { tenantId } = await ended();
  await keep(tenantId, 30);
  const before = await left(tenantId);
  world.clock.advance(365 * daySeconds);
  await swept();
  expect(await left(tenantId)).toEqual(before);
  expect(before).toMatchObject({ grants: 1, accounts: 1 });
});
