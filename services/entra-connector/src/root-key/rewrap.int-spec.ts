import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openKeyProvider, type KeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import { BreakGlassRun } from '../testing/break-glass-run.ts';
import { EntraWorld } from '../testing/entra-world.ts';
import { testRootKey } from '../testing/test-keys.ts';
import { RewrapSweep } from './rewrap.sweep.ts';
import { WrappedRepository, wrappedTables } from './wrapped.repository.ts';

let world: EntraWorld;
const log: { facts: object; message: string }[] = [];
/** Before the change, during it, and after the former root key was taken away. */
let former: KeyProvider;
let both: KeyProvider;
/** The new root key is named, as one that is read only. */
let announced: KeyProvider;
let current: KeyProvider;
beforeAll(async () => {
  world = await EntraWorld.start();
});
afterAll(() => world.stop());
beforeEach(async () => {
  await world.rows('delete from break_glass_candidate');
  log.length = 0;
  const [before, after] = [testRootKey(), testRootKey()];
  former = openKeyProvider(before);
  announced = openKeyProvider(`${before},${after}`);
  both = openKeyProvider(`${after},${before}`);
  current = openKeyProvider(after);
});

const note = (facts: object, message: string): void => void log.push({ facts, message });
const sweepWith = (keys: KeyProvider): RewrapSweep => new RewrapSweep(new WrappedRepository(), keys, { info: note, error: note });
const deliver = (run: BreakGlassRun): Promise<void> => run.deliver((below) => 1 % below);
const underFormer = (): Promise<{ id: Id }[]> =>
  world.rows('select id from break_glass_candidate where root_key_id = $1', [former.rootKeyId]);

/** An account whose new password is in the vault and in no Entra tenant yet: the process that wrapped it is gone. */
async function underWay(): Promise<BreakGlassRun> {
  const run = await BreakGlassRun.start(world, former);
  await deliver(run);
  await run.work();
  await deliver(run);
  const [candidate] = await world.rows('select state, root_key_id from break_glass_candidate where account_id = $1', [run.vault.accountId]);
  expect(candidate).toEqual({ state: 'TAKEN', root_key_id: former.rootKeyId });
  return run;
}

test('nothing that the key provider wraps is forgotten', async () => {
  const rows = await world.rows<{ name: string }>(
    `select distinct c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'entra_connector'::regnamespace and c.relkind = 'r' and a.attname ~ 'wrapped'`,
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual(wrappedTables.toSorted());
});

test('a break-glass password on its way is set with the new root key alone', async () => {
  const run = await underWay();
  const sweep = sweepWith(both);
  await sweep.step(world.tenancy);
  expect(await underFormer()).toEqual([]);
  run.keys = current;
  await run.work();
  await deliver(run);
  expect(run.vault.versions).toMatchObject([{ state: 'CURRENT' }]);
  expect(run.opens(run.vault.shown[0] ?? '')).toBe(true);
  expect(await run.account()).toMatchObject({ problem: null });
  await run.end();
});

test('the former root key can be taken away when it wraps nothing: that is told once, and not before', async () => {
  const runs = [await underWay(), await underWay()];
  const [first] = await underFormer();
  const moved = Buffer.from(`01${former.rootKeyId}${'00'.repeat(40)}`, 'hex');
  const [kept] = await world.rows<{ wrapped: Buffer }>('select wrapped from break_glass_candidate where id = $1', [first?.id]);
  await world.rows('update break_glass_candidate set wrapped = $2 where id = $1', [first?.id, moved]);

  const sweep = sweepWith(both);
  // One that does not open is told, and holds up no other: the next round goes on behind it.
  await expect(sweep.step(world.tenancy)).rejects.toThrow(first?.id);
  await sweep.step(world.tenancy);
  expect(await underFormer()).toEqual([{ id: first?.id }]);
  await expect(sweep.step(world.tenancy)).rejects.toThrow(first?.id);
  expect(log).toEqual([]);

  await world.rows('update break_glass_candidate set wrapped = $2 where id = $1', [first?.id, kept?.wrapped]);
  for (let rounds = 0; rounds < 4; rounds += 1) await sweep.step(world.tenancy);
  expect(await underFormer()).toEqual([]);
  expect(log).toEqual([{ facts: { rootKeyId: former.rootKeyId }, message: expect.stringContaining('take it away') }]);
  for (const run of runs) await run.end();
});

test('a new root key that is named before it is the current one is not told as one to be taken away', async () => {
  const run = await underWay();
  const sweep = sweepWith(announced);
  for (let rounds = 0; rounds < 2; rounds += 1) await sweep.step(world.tenancy);
  expect(log).toEqual([]);
  await run.end();
});

test('a former root key that was taken away too early is told', async () => {
  const run = await underWay();
  const sweep = sweepWith(current);
  for (let rounds = 0; rounds < 2; rounds += 1) await sweep.step(world.tenancy);
  expect(log).toEqual([{ facts: { rootKeyId: former.rootKeyId, count: 1 }, message: expect.stringContaining('KEY_PROVIDER') }]);
  // Naming it again repairs that.
  await sweepWith(both).step(world.tenancy);
  expect(await underFormer()).toEqual([]);
  await run.end();
});
