import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Id } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@stint/testing';
import { Tenancy, type TenantTx } from './tenancy.ts';

let database: TestDatabase;
let tenancy: Tenancy;
// Two MSPs; the first has two customers, the first of which has a branch.
const [mspA, mspB, customerA1, customerA2, branchA1] = [newId(), newId(), newId(), newId(), newId()];

beforeAll(async () => {
  database = await createTestDatabase([{ schema: 'probe', directory: join(import.meta.dirname, '..', 'test-migrations') }]);
  const urls = database.urls('probe');
  // One connection per pool: whatever a transaction left behind would be seen by the next one.
  tenancy = await Tenancy.open({ schema: 'probe', ...urls, poolSize: 1 });
  const tree: [Id, Id, Id | null, Id[]][] = [
    [mspA, mspA, null, [mspA]],
    [mspB, mspB, null, [mspB]],
    [mspA, customerA1, mspA, [mspA, customerA1]],
    [mspA, customerA2, mspA, [mspA, customerA2]],
    [mspA, branchA1, customerA1, [mspA, customerA1, branchA1]],
  ];
  await tenancy.asSystem(async (tx) => {
    for (const [msp, id, parent, path] of tree) {
      await tx.query('insert into tenant (msp_id, tenant_id, id, parent_id, path) values ($1, $2, $2, $3, $4)', [msp, id, parent, path]);
      await tx.query('insert into thing (msp_id, tenant_id, id, name) values ($1, $2, $3, $4)', [msp, id, newId(), id]);
    }
  });
});

afterAll(async () => {
  await tenancy.close();
  await database.drop();
});

function actor(mspId: Id, tenantId: Id): Actor {
  return { kind: 'technician', id: newId(), mspId, tenantId, access: [{ tenantId, permissions: [] }] };
}

const names = async (tx: { query: TenantTx['query'] }) =>
  (await tx.query<{ name: string }>('select name from thing')).map((row) => row.name).sort();

describe('a reading scope', () => {
  test.each([
    ['the MSP reaches its whole tree', actor(mspA, mspA), [mspA, customerA1, customerA2, branchA1]],
    ['a customer reaches itself and what is below', actor(mspA, customerA1), [customerA1, branchA1]],
    ['a leaf reaches itself', actor(mspA, branchA1), [branchA1]],
    ['another MSP reaches its own', actor(mspB, mspB), [mspB]],
    ['a caller that names a foreign MSP reaches nothing', actor(mspB, mspA), []],
  ])('%s', async (_, who, expected) => {
    expect(await tenancy.readTenants(who, names)).toEqual([...expected].sort());
  });

  test('cannot write', async () => {
    await expect(tenancy.readTenants(actor(mspA, mspA), (tx) => tx.query('delete from thing'))).rejects.toThrow(/read-only/);
  });
});

describe('a tenant scope', () => {
  test('sees and changes one tenant only, though its actor reaches more', async () => {
    expect(await tenancy.inTenant(actor(mspA, mspA), customerA1, names)).toEqual([customerA1]);
    const changed = await tenancy.inTenant(actor(mspA, mspA), customerA1, (tx) => tx.query('update thing set name = name returning name'));
    expect(changed).toHaveLength(1);
  });

  test.each([
    ['a sibling', actor(mspA, customerA1), customerA2],
    ['the tenant above', actor(mspA, customerA1), mspA],
    ['another MSP', actor(mspA, mspA), mspB],
    ['nobody', actor(mspA, mspA), newId()],
  ])('is refused alike for %s', async (_, who, tenantId) => {
    await expect(tenancy.inTenant(who, tenantId, names)).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('No tenant with this id'),
    });
  });

  test('cannot write a row of another tenant', async () => {
    const write = tenancy.inTenant(actor(mspA, mspA), customerA1, (tx) =>
      tx.query('insert into thing (msp_id, tenant_id, id, name) values ($1, $2, $3, $4)', [mspA, customerA2, newId(), 'smuggled']),
    );
    await expect(write).rejects.toThrow(/row-level security/);
  });

  test('finds the tenant of a row by its id, inside the reach', async () => {
    const [{ id } = { id: '' }] = await tenancy.asSystem((tx) =>
      tx.query<{ id: Id }>('select id from thing where tenant_id = $1', [branchA1]),
    );
    const find = (tx: { query: TenantTx['query'] }) =>
      tx.query<{ tenant_id: Id }>('select tenant_id from thing where id = $1', [id]).then((rows) => rows[0]?.tenant_id ?? null);
    expect(await tenancy.inTenantOf(actor(mspA, customerA1), 'thing', find, names)).toEqual([branchA1]);
    await expect(tenancy.inTenantOf(actor(mspA, customerA2), 'thing', find, names)).rejects.toMatchObject({ type: 'NotFound' });
  });
});

describe('the database itself', () => {
  test('leaks no scope to the next transaction on the connection, and no scope means no rows', async () => {
    await tenancy.inTenant(actor(mspA, mspA), customerA1, names);
    const bare = new Client({ connectionString: database.urls('probe').appUrl });
    await bare.connect();
    expect((await bare.query('select * from thing')).rows).toEqual([]);
    await bare.end();
    expect(await tenancy.readTenants(actor(mspB, mspB), names)).toEqual([mspB]);
  });

  test('rolls back on a throw and runs nothing after it', async () => {
    let ran = false;
    const failed = tenancy.inTenant(actor(mspA, mspA), mspA, async (tx) => {
      tx.afterCommit(() => (ran = true));
      await tx.query('delete from thing');
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(ran).toBe(false);
    expect(await tenancy.inTenant(actor(mspA, mspA), mspA, names)).toEqual([mspA]);
  });

  test('runs a transaction again after a deadlock', async () => {
    const wide = await Tenancy.open({ schema: 'probe', ...database.urls('probe'), poolSize: 2 });
    const arrived: string[] = [];
    let attempts = 0;
    const lockBoth = (first: Id, second: Id) =>
      wide.asSystem(async (tx) => {
        attempts += 1;
        await tx.query('select 1 from thing where tenant_id = $1 for update', [first]);
        arrived.push(first);
        await eventually(() => expect(arrived.length).toBeGreaterThanOrEqual(2));
        await tx.query('select 1 from thing where tenant_id = $1 for update', [second]);
      });
    await Promise.all([lockBoth(customerA1, customerA2), lockBoth(customerA2, customerA1)]);
    expect(attempts).toBe(3);
    await wide.close();
  });

  test('an append-only table takes rows and gives none back to change', async () => {
    const who = actor(mspA, mspA);
    await tenancy.inTenant(who, mspA, (tx) => tx.query('insert into note (msp_id, tenant_id, id) values ($1, $1, $2)', [mspA, newId()]));
    await expect(tenancy.inTenant(who, mspA, (tx) => tx.query('delete from note'))).rejects.toThrow(/permission denied/);
    await expect(tenancy.asSystem((tx) => tx.query('update note set id = id'))).rejects.toThrow(/permission denied/);
  });
});
