import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor, AuditEvent, Payload } from '@stint/contracts';
import { rootKeyProvider } from '@stint/crypto';
import { newId, pageRequest, type Id } from '@stint/kernel';
import { Tenancy, type SystemTx } from '@stint/tenancy';
import { createTestDatabase, type TestDatabase } from '@stint/testing';
import { auditHandlers } from './audit.consumer.ts';
import { AuditRepository } from './audit.repository.ts';
import { auditKeyLabel, AuditService } from './audit.service.ts';
import { auditRetentionHandlers, AuditRetentionSweep } from './audit-retention.sweep.ts';

const keys = rootKeyProvider(randomBytes(32));
const dayMs = 86_400_000;
const errors: string[] = [];
let database: TestDatabase;
let tenancy: Tenancy;
let service: AuditService;
let sweep: AuditRetentionSweep;
beforeAll(async () => {
  database = await createTestDatabase([{ schema: 'tenants', directory: join(import.meta.dirname, '..', '..', 'migrations') }]);
  tenancy = await Tenancy.open({ schema: 'tenants', ...database.urls('tenants') });
  service = new AuditService(tenancy, new AuditRepository(), keys);
  const journal = { warn: () => undefined, error: (_: object, message: string) => void errors.push(message) };
  sweep = new AuditRetentionSweep(await keys.derive(auditKeyLabel), journal);
});
afterAll(async () => {
  await tenancy.close();
  await database.drop();
});

let mspId: Id;
const actor = (): Actor => ({ kind: 'technician', id: newId(), mspId, tenantId: mspId, access: [{ tenantId: mspId, permissions: [] }] });
const superuser = (sql: string) => database.query(`set search_path = tenants; ${sql}`);
const message = { id: newId(), from: 'tenants' as const };
const append = (daysAgo: number, tenantId = mspId): Promise<unknown> => {
  const occurredAt = new Date(Date.now() - daysAgo * dayMs).toISOString();
  const event: AuditEvent = {
    ...{ mspId, tenantId, eventId: newId(), occurredAt, actorKind: 'system', actorId: null },
    ...{ action: 'grant.ended', subjectId: newId(), details: { daysAgo } },
  };
  return tenancy.asSystem(async (tx) => auditHandlers(await keys.derive(auditKeyLabel))['audit-recorded']?.(tx, event, message));
};
const keep = (days: number, version = 1, tenantId = mspId): Promise<unknown> => {
  const retention: Payload<'audit-retention-changed'> = { mspId, tenantId, days, version };
  return tenancy.asSystem(async (tx) => auditRetentionHandlers()['audit-retention-changed']?.(tx, retention, message));
};
/** Sweeps as the service does: until nothing is due. */
const swept = async (now = new Date()): Promise<void> => {
  while ((await tenancy.asSystem((tx) => sweep.run(tx, now))) > 0);
};
/** What the sweep wrote for the audit log. */
const recorded = async (): Promise<AuditEvent[]> => {
  const rows = await tenancy.asSystem((tx) =>
    tx.query<{ payload: AuditEvent }>(`select payload from outbox where type = 'audit-recorded' order by id`),
  );
  return rows.map((row) => row.payload).filter((event) => event.mspId === mspId);
};
const sequences = async (): Promise<number[]> =>
  (await service.list(actor(), mspId, pageRequest({ first: 100 }))).map((one) => one.sequence);
const verification = () => service.verify(actor(), mspId);

beforeEach(async () => {
  mspId = newId();
  errors.length = 0;
  await superuser(
    `insert into tenant (msp_id, tenant_id, id, path, name, created_at) values ('${mspId}', '${mspId}', '${mspId}', '{${mspId}}', 'X', now())`,
  );
});
afterEach(() => superuser('delete from audit_event; delete from audit_head; delete from audit_retention; delete from outbox'));

test('what is older than the retention goes, the rest stays and verifies from there on', async () => {
  for (const daysAgo of [90, 60, 41, 39, 2, 1]) await append(daysAgo);
  const head = (await verification()).head;
  await keep(40);
  await swept();
  expect(await sequences()).toEqual([6, 5, 4]);
  expect(await verification()).toEqual({ intact: true, events: 3, brokenAt: null, firstSequence: 4, head });
  const last = { lastSequence: 3, lastHash: expect.stringMatching(/^[0-9a-f]{64}$/) };
  expect(await recorded()).toMatchObject([
    { action: 'audit.trimmed', subjectId: mspId, actorKind: 'system', details: { events: 3, firstSequence: 1, ...last, days: 40 } },
  ]);
  // The chain goes on.
  await append(0);
  expect(await verification()).toMatchObject({ intact: true, events: 4, firstSequence: 4 });
});

test('only from the beginning on: an old event that came late waits for those before it', async () => {
  for (const daysAgo of [60, 1, 60]) await append(daysAgo);
  await keep(40);
  await swept();
  expect(await sequences()).toEqual([3, 2]);
});

test('a log of which all is old is empty afterwards, intact, and goes on', async () => {
  for (const daysAgo of [62, 61]) await append(daysAgo);
  await keep(30);
  await swept();
  expect(await verification()).toMatchObject({ intact: true, events: 0, firstSequence: 3, head: expect.any(String) });
  await append(0);
  expect(await verification()).toMatchObject({ intact: true, events: 1, firstSequence: 3 });
  expect(await sequences()).toEqual([3]);
});

test('a log that has not begun stays so; without a word of how long, nothing goes', async () => {
  await keep(30);
  await swept();
  expect(await verification()).toEqual({ intact: true, events: 0, brokenAt: null, firstSequence: 1, head: null });
  const other = newId();
  await superuser(`insert into tenant (msp_id, tenant_id, id, parent_id, path, name, created_at)
    values ('${mspId}', '${other}', '${other}', '${mspId}', '{${mspId},${other}}', 'Y', now())`);
  await append(4_000, other);
  await swept();
  expect(await service.verify(actor(), other)).toMatchObject({ events: 1 });
});

test('once a day, and at once when the retention changes; an older word counts for nothing', async () => {
  await append(60);
  await append(31);
  await keep(50);
  await swept();
  expect(await sequences()).toEqual([2]);
  await append(60);
  await keep(30, 1);
  await swept();
  expect(await sequences()).toEqual([3, 2]);
  await keep(30, 2);
  await swept();
  expect(await sequences()).toEqual([]);
  await append(60);
  await swept();
  expect(await sequences()).toEqual([4]);
  await swept(new Date(Date.now() + dayMs + 1_000));
  expect(await sequences()).toEqual([]);
});

test('more than one batch goes, each with its own audit event', async () => {
  for (let round = 0; round < 21; round += 1) await Promise.all(Array.from({ length: 100 }, () => append(60)));
  await append(1);
  await keep(30);
  await swept();
  expect(await verification()).toMatchObject({ intact: true, events: 1, firstSequence: 2_101 });
  expect((await recorded()).map((event) => event.details['events'])).toEqual([2_000, 100]);
});

test('a log that is trimmed while it is verified is intact', async () => {
  for (let round = 0; round < 11; round += 1) await Promise.all(Array.from({ length: 100 }, () => append(60)));
  await append(1);
  await keep(30);
  /** Retention comes after the first page was read. */
  class Interrupted extends AuditRepository {
    override async following(...args: Parameters<AuditRepository['following']>) {
      const page = await super.following(...args);
      if (args[3] === null) await swept();
      return page;
    }
  }
  const interrupted = new AuditService(tenancy, new Interrupted(), keys);
  expect(await interrupted.verify(actor(), mspId)).toMatchObject({ intact: true, events: 1, firstSequence: 1_101 });
});

test('a clock that runs ahead removes nothing that is young by the database', async () => {
  await append(60);
  await append(10);
  await keep(40);
  await swept(new Date(Date.now() + 3_650 * dayMs));
  expect(await sequences()).toEqual([2]);
});

test('a crash after the deletion leaves everything as it was', async () => {
  for (const daysAgo of [60, 50, 1]) await append(daysAgo);
  await keep(40);
  const before = await verification();
  const crash = async (tx: SystemTx) => {
    await sweep.run(tx, new Date());
    expect(await tx.query('select 1 from audit_event where msp_id = $1', [mspId])).toHaveLength(1);
    throw new Error('crash');
  };
  await expect(tenancy.asSystem(crash)).rejects.toThrow('crash');
  expect(await verification()).toEqual(before);
  expect(await recorded()).toEqual([]);
  await swept();
  expect(await verification()).toMatchObject({ intact: true, events: 1, firstSequence: 3 });
});

test('two replicas at once remove once', async () => {
  for (const daysAgo of [60, 50, 1]) await append(daysAgo);
  await keep(40);
  await Promise.all([swept(), swept(), swept()]);
  expect((await recorded()).map((event) => event.details['events'])).toEqual([2]);
});

describe('the database itself', () => {
  const remove = (sql: string) => tenancy.asSystem((tx) => tx.query(`${sql} returning 1`));
  test('lets the service remove nothing that the anchor does not stand behind, nor anything younger than 30 days', async () => {
    for (const daysAgo of [60, 50, 10]) await append(daysAgo);
    expect(await remove('delete from audit_event')).toEqual([]);
    expect(await remove(`update audit_head set anchor_sequence = 3`)).toHaveLength(1);
    expect(await remove('delete from audit_event')).toHaveLength(2);
    expect(await verification()).toMatchObject({ intact: false });
  });

  test.each([29, 3_651])('takes no retention of %d days', async (days) => {
    await expect(keep(days)).rejects.toThrow(/audit_retention_days_check/);
  });

  test('lets request code change neither heads nor retentions', async () => {
    await keep(40);
    for (const sql of [
      'update audit_retention set days = 30',
      'delete from audit_retention',
      'update audit_head set anchor_sequence = 9',
      'delete from audit_event',
    ]) {
      await expect(tenancy.inTenant(actor(), mspId, (tx) => tx.query(sql))).rejects.toThrow(/permission denied/);
    }
  });
});

describe('whoever owns the database cannot use retention to change the log unnoticed', () => {
  beforeEach(async () => {
    for (const daysAgo of [60, 50, 10, 9, 8]) await append(daysAgo);
    await keep(40);
    await swept();
  });

  test.each([
    [
      'an anchor moved on, with the events before it',
      'update audit_head set anchor_sequence = 3; delete from audit_event where sequence = 3',
      1,
    ],
    [
      'an anchor moved on with the right hash',
      `update audit_head set anchor_sequence = 3, anchor_hash = (select hash from audit_event where sequence = 3); delete from audit_event where sequence = 3`,
      1,
    ],
    [
      "an anchor with the head's MAC",
      'update audit_head set anchor_sequence = sequence, anchor_hash = hash, anchor_mac = mac; delete from audit_event',
      1,
    ],
    ['an anchor moved back', 'update audit_head set anchor_sequence = 1', 1],
    [
      'an anchor taken away',
      `update audit_head set anchor_sequence = 0, anchor_hash = decode(repeat('00', 32), 'hex'), anchor_mac = null`,
      1,
    ],
    ['an anchor without a MAC', 'update audit_head set anchor_mac = null', 1],
    ['another hash', `update audit_head set anchor_hash = decode(repeat('00', 32), 'hex')`, 1],
    ['the first event that was kept removed', 'delete from audit_event where sequence = 3', 3],
    [
      'an event put back before the anchor',
      `insert into audit_event select msp_id, tenant_id, gen_random_uuid(), 2, occurred_at, actor_kind, actor_id, action, subject_id, details, hash from audit_event where sequence = 3`,
      3,
    ],
    ['a removed head', 'delete from audit_head', 1],
  ])('%s', async (_, sql, brokenAt) => {
    expect(await verification()).toMatchObject({ intact: true, firstSequence: 3 });
    await superuser(sql);
    expect(await verification()).toMatchObject({ intact: false, brokenAt });
  });

  test('an altered event is not removed when its time comes, and stays found', async () => {
    await superuser(`update audit_event set action = 'login.approved', occurred_at = occurred_at where sequence = 4`);
    await superuser(`update audit_event set occurred_at = now() - interval '70 days' where sequence = 3`);
    await keep(30, 2);
    await swept();
    expect(errors).toEqual([expect.stringContaining('broken')]);
    expect(await sequences()).toEqual([5, 4, 3]);
    expect(await verification()).toMatchObject({ intact: false, brokenAt: 3 });
  });
});
