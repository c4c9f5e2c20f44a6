import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor, AuditEvent } from '@stint/contracts';
import { rootKeyProvider } from '@stint/crypto';
import { newId, pageRequest, type Id } from '@stint/kernel';
import { Tenancy } from '@stint/tenancy';
import { createTestDatabase, type TestDatabase } from '@stint/testing';
import { auditHandlers } from './audit.consumer.ts';
import { AuditRepository } from './audit.repository.ts';
import { auditKeyLabel, AuditService } from './audit.service.ts';

const keys = rootKeyProvider(randomBytes(32));
let database: TestDatabase;
let tenancy: Tenancy;
let service: AuditService;
beforeAll(async () => {
  database = await createTestDatabase([{ schema: 'tenants', directory: join(import.meta.dirname, '..', '..', 'migrations') }]);
  tenancy = await Tenancy.open({ schema: 'tenants', ...database.urls('tenants') });
  service = new AuditService(tenancy, new AuditRepository(), keys);
});
afterAll(async () => {
  await tenancy.close();
  await database.drop();
});

let mspId: Id;
const actor = (): Actor => ({ kind: 'technician', id: newId(), mspId, tenantId: mspId, access: [{ tenantId: mspId, permissions: [] }] });
const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  ...{ mspId, tenantId: mspId, eventId: newId(), occurredAt: new Date().toISOString(), actorKind: 'system', actorId: null },
  ...{ action: 'grant.ended', subjectId: newId(), details: { reason: 'Printer', z: 1, a: null } },
  ...change,
});
const append = async (one: AuditEvent) =>
  tenancy.asSystem(async (tx) =>
    auditHandlers(await keys.derive(auditKeyLabel))['audit-recorded']?.(tx, one, { id: newId(), from: 'tenants' }),
  );
const superuser = (sql: string) => database.query(`set search_path = tenants; ${sql}`);

beforeEach(async () => {
  mspId = newId();
  await superuser(
    `insert into tenant (msp_id, tenant_id, id, path, name, created_at) values ('${mspId}', '${mspId}', '${mspId}', '{${mspId}}', 'X', now())`,
  );
});
afterEach(() => superuser('delete from audit_event; delete from audit_head'));

test('many events at once make one chain without gaps', async () => {
  await Promise.all(Array.from({ length: 300 }, () => append(event())));
  expect(await service.verify(actor(), mspId)).toMatchObject({ intact: true, events: 300, brokenAt: null });
});

test('longer than one batch verifies', async () => {
  for (let round = 0; round < 21; round += 1) await Promise.all(Array.from({ length: 100 }, () => append(event())));
  expect(await service.verify(actor(), mspId)).toMatchObject({ intact: true, events: 2_100 });
});

test('an event that comes twice is there once', async () => {
  const once = event();
  await Promise.all(Array.from({ length: 5 }, () => append(once)));
  expect(await service.verify(actor(), mspId)).toMatchObject({ intact: true, events: 1 });
});

test.each(['2026-11-23T12:00:00Z', '2026-11-23T12:00:00.5Z', '2026-11-23T12:00:00.123456Z'])(
  'a producer may write %s',
  async (occurredAt) => {
    await append(event({ occurredAt }));
    expect(await service.verify(actor(), mspId)).toMatchObject({ intact: true, events: 1 });
  },
);

test('facts come back from the database as they were hashed', async () => {
  await append(event({ details: { z: 1e21, a: 0.1, é: 'ü\u2028"\\', '': true, B: -0, b: 5e-324 } }));
  await append(event({ details: {} }));
  expect(await service.verify(actor(), mspId)).toMatchObject({ intact: true, events: 2 });
});

test('a log that grows while it is verified is intact', async () => {
  let growing = true;
  const verified: boolean[] = [];
  const verifying = (async () => {
    while (growing) verified.push((await service.verify(actor(), mspId)).intact);
  })();
  for (let round = 0; round < 60; round += 1) await append(event());
  growing = false;
  await verifying;
  expect(verified.length).toBeGreaterThan(5);
  expect(verified).not.toContain(false);
});

test('an empty log is intact', async () => {
  expect(await service.verify(actor(), mspId)).toEqual({ intact: true, events: 0, brokenAt: null, firstSequence: 1, head: null });
});

test('each tenant has a chain of its own', async () => {
  await append(event());
  const other = newId();
  await append(event({ tenantId: other }));
  expect((await service.list(actor(), mspId, pageRequest({}))).map((one) => one.sequence)).toEqual([1]);
});

test('lists newest first, page by page', async () => {
  for (let round = 0; round < 5; round += 1) await append(event());
  const first = await service.list(actor(), mspId, pageRequest({ first: 2 }));
  expect(first.map((one) => one.sequence)).toEqual([5, 4, 3]);
  const after = Buffer.from(first[1]?.eventId ?? '').toString('base64url');
  expect((await service.list(actor(), mspId, pageRequest({ first: 2, after }))).map((one) => one.sequence)).toEqual([3, 2, 1]);
});

describe('whoever owns the database cannot change the log unnoticed', () => {
  beforeEach(async () => {
    for (let round = 0; round < 6; round += 1) await append(event());
  });

  test.each([
    ['an altered action', `update audit_event set action = 'login.approved' where sequence = 3`, 3],
    ['an altered detail', `update audit_event set details = '{"reason":"Other"}' where sequence = 3`, 3],
    ['an altered time', `update audit_event set occurred_at = occurred_at - interval '1 minute' where sequence = 1`, 1],
    ['another actor', `update audit_event set actor_kind = 'technician', actor_id = subject_id where sequence = 6`, 6],
    ['a deleted event', `delete from audit_event where sequence = 4`, 4],
    ['a deleted first event', `delete from audit_event where sequence = 1`, 1],
    [
      'exchanged events',
      `update audit_event set sequence = -2 where sequence = 2; update audit_event set sequence = 2 where sequence = 5; update audit_event set sequence = 5 where sequence = -2`,
      2,
    ],
    ['a tail that was cut off', `delete from audit_event where sequence > 4`, 5],
    [
      'a tail that was cut off with its head',
      `delete from audit_event where sequence > 4; update audit_head set sequence = 4, hash = (select hash from audit_event where sequence = 4)`,
      5,
    ],
    ['a removed head', `delete from audit_head`, 7],
    [
      'an event added behind the head',
      `insert into audit_event select msp_id, tenant_id, gen_random_uuid(), 7, occurred_at, actor_kind, actor_id, action, subject_id, details, hash from audit_event where sequence = 6`,
      7,
    ],
    [
      'an event added before the first',
      `insert into audit_event select msp_id, tenant_id, gen_random_uuid(), 0, occurred_at, actor_kind, actor_id, action, subject_id, details, hash from audit_event where sequence = 1`,
      1,
    ],
    ['a place far away', `update audit_event set sequence = 9223372036854775807 where sequence = 6`, 6],
    ['details that are none', `update audit_event set details = 'null' where sequence = 3`, 3],
    ['a time that is none', `update audit_event set occurred_at = 'infinity' where sequence = 3`, 3],
    [
      'a time altered by a microsecond',
      `update audit_event set occurred_at = occurred_at + interval '1 microsecond' where sequence = 3`,
      3,
    ],
    ['an altered head', `update audit_head set mac = decode(repeat('00', 32), 'hex')`, 7],
    ['an event of another chain', `update audit_event set hash = decode(repeat('00', 32), 'hex') where sequence = 5`, 5],
  ])('%s', async (_, sql, brokenAt) => {
    await superuser(sql);
    expect(await service.verify(actor(), mspId)).toMatchObject({ intact: false, brokenAt });
  });
});

test('the service itself can only add', async () => {
  await append(event());
  await expect(tenancy.asSystem((tx) => tx.query('update audit_event set action = action'))).rejects.toThrow(/permission denied/);
  for (const sql of ['update audit_event set action = action', 'delete from audit_event', 'update audit_head set sequence = 0']) {
    await expect(tenancy.inTenant(actor(), mspId, (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
  }
});
