import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, type Payload } from '@stint/contracts';
import { generateHpkeKeyPair, type HpkeKeyPair, lapsSealing, openSealed } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestAgent } from '../testing/agent.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World, type Thing } from '../testing/world.ts';

const password = 'Canary-Of-The-Vault-0001';
let service: TestLapsVault;
let world: World;
let tenant: Payload<'tenant-changed'>;
let readers: Id;
let anna: Actor;
let bert: Actor;
let administrator: Actor;
let agent: TestAgent;
let accountId: Id;
let versionId: Id;
let reader: HpkeKeyPair;

beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
  reader = await generateHpkeKeyPair();
});
beforeEach(async () => {
  tenant = await world.tenant(null);
  readers = newId();
  anna = await world.technician(tenant, 'TECHNICIAN', { groupIds: [readers] });
  bert = await world.technician(tenant, 'HELPDESK', { groupIds: [newId(), readers] });
  administrator = await world.technician(tenant, 'ADMINISTRATOR');
  await world.settings(tenant, { localEnabled: true, readerGroups: [readers] });
  const computer = await world.device(tenant);
  await service.settled();
  agent = new TestAgent(service, world, computer);
  ({ accountId, versionId } = await agent.rotate(password));
});
afterAll(() => service.close());

const fields = `... on RevealedLapsPassword { account { id state revealedAt dueAt checkedOutBy { id } checkedOutUntil } candidates { versionId certainty escrowedAt confirmedAt enc ciphertext } }
  ... on InvalidInput { field } ... on LapsCheckedOut { until } ... on RevealsLimited { retryAt }`;
const reveal = (by: Actor, change: object = {}) =>
  world.mutate(by, 'revealLapsPassword', fields, {
    id: newId(),
    accountId,
    reason: 'Domain down',
    recipientKey: reader.publicKey,
    ...change,
  });
const checkOut = (by: Actor, change: object = {}) =>
  world.mutate(by, 'checkOutLapsAccount', fields, {
    ...{ id: newId(), accountId, reason: 'Domain down', recipientKey: reader.publicKey, seconds: 600 },
    ...change,
  });
const checkIn = (by: Actor) => world.mutate(by, 'checkInLapsAccount', '... on LapsAccount { checkedOutUntil dueAt }', { accountId });
interface Candidate {
  versionId: Id;
  certainty: string;
  enc: string;
  ciphertext: string;
}
const candidates = (answer: Thing) => answer['candidates'] as Candidate[];
const open = async (one: Candidate, by = reader, of = one.versionId) => {
  const { info, aad } = lapsSealing.reveal;
  return (await openSealed({ privateKey: by.privateKey, info, aad: aad(accountId, of) }, one)).toString();
};
const opened = async (answer: Thing) => Promise.all(candidates(answer).map((one) => open(one)));
const audited = (action: string) => service.audits.filter((one) => one.action === action && one.subjectId === accountId);
const recorded = async (action: string, times: number) => {
  await eventually(() => expect(audited(action)).toHaveLength(times));
  return audited(action);
};

describe('a reveal', () => {
  test('is sealed to its reader, for this account and version alone, and recorded', async () => {
    const answer = await reveal(anna, { ticket: 'T-7' });
    expect(answer).toMatchObject({ __typename: 'RevealedLapsPassword', candidates: [{ versionId, certainty: 'CONFIRMED' }] });
    expect(await opened(answer)).toEqual([password]);
    const [one] = candidates(answer) as [Candidate];
    await expect(open(one, await generateHpkeKeyPair())).rejects.toThrow();
    await expect(open(one, reader, newId())).rejects.toThrow();
    const [event] = await recorded('laps.revealed', 1);
    expect(event).toMatchObject({ actorKind: 'technician', actorId: anna.id, tenantId: tenant.tenantId });
    expect(event?.details).toMatchObject({
      reason: 'Domain down',
      ticket: 'T-7',
      accountName: 'stint-admin',
      hostName: 'ws-07',
      versions: versionId,
    });
    expect(JSON.stringify(service.audits)).not.toContain(password);
  });

  test('has the password changed after the time that is set, and the device hears of it', async () => {
    // The first change is planned for any time of the day, perhaps within the hour; later ones are not.
    await agent.tampered(accountId);
    await agent.rotate(password);
    const now = service.clock.now().getTime();
    expect(await reveal(anna)).toMatchObject({ account: { dueAt: new Date(now + 3_600_000).toISOString() } });
    await eventually(() => expect(service.nudges).toContain(agent.actor.id));
    // A later one does not put it off.
    service.clock.advance(600);
    expect(await reveal(bert)).toMatchObject({ account: { dueAt: new Date(now + 3_600_000).toISOString() } });
    service.clock.advance(3_000);
    await agent.rotate('the next one');
    expect(await opened(await reveal(anna))).toEqual(['the next one']);
  });

  test('shows all that may be right while a change is open, the confirmed one first, and former ones on request', async () => {
    await agent.tampered(accountId);
    await agent.rotate('second');
    await agent.tampered(accountId);
    await agent.escrow('third, perhaps');
    await agent.escrow('fourth, perhaps');
    const answer = await reveal(anna);
    expect(candidates(answer).map(({ certainty }) => certainty)).toEqual(['CONFIRMED', 'CANDIDATE', 'CANDIDATE']);
    expect(await opened(answer)).toEqual(['second', 'fourth, perhaps', 'third, perhaps']);
    expect(await opened(await reveal(anna, { history: true }))).toEqual(['second', 'fourth, perhaps', 'third, perhaps', password]);
  });

  test('sent again is the same reveal; its id is good for nothing else', async () => {
    const id = newId();
    for (let time = 0; time < 3; time++) expect(await opened(await reveal(anna, { id }))).toEqual([password]);
    await recorded('laps.revealed', 1);
    expect(await reveal(bert, { id })).toMatchObject({ __typename: 'InvalidInput', field: 'id' });
    service.clock.advance(601);
    expect(await reveal(anna, { id })).toMatchObject({ __typename: 'InvalidInput', field: 'id' });
  });

  test.each<[string, object, string]>([
    ['reason', { reason: ' ' }, 'reason'],
    ['long reason', { reason: 'x'.repeat(501) }, 'reason'],
    ['ticket', { ticket: 'x'.repeat(101) }, 'ticket'],
    ['key', { recipientKey: 'AAAA' }, 'recipientKey'],
    ['id', { id: 'x' }, 'id'],
  ])('with a wrong %s is refused, and nothing is recorded', async (_, wrong, field) => {
    expect(await reveal(anna, wrong)).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await service.rows('select 1 from laps_reveal where account_id = $1', [accountId])).toEqual([]);
  });

  test('takes a ticket where the settings demand one', async () => {
    await world.settings(tenant, { localEnabled: true, readerGroups: [readers], requireTicket: true });
    await service.settled();
    expect(await reveal(anna)).toMatchObject({ __typename: 'InvalidInput', field: 'ticket' });
    expect(await reveal(anna, { ticket: 'T-1' })).toMatchObject({ __typename: 'RevealedLapsPassword' });
  });

  test('of an account without a password says so', async () => {
    const other = await world.device(tenant);
    await service.settled();
    const [row] = await service.rows<{ id: Id }>('select id from laps_account where device_id = $1', [other.deviceId]);
    expect(await reveal(anna, { accountId: row?.id })).toMatchObject({ __typename: 'NothingEscrowed' });
  });
});

describe('nobody else reads', () => {
  test('who is in none of the groups, which is recorded; an administrator neither', async () => {
    const carl = await world.technician(tenant, 'TECHNICIAN', { groupIds: [newId()] });
    await service.settled();
    for (const outsider of [carl, administrator]) {
      const answer = await reveal(outsider);
      expect(answer).toEqual({ __typename: 'LapsAccessDenied', message: expect.stringContaining('groups') });
      expect(await checkOut(outsider)).toMatchObject({ __typename: 'LapsAccessDenied' });
    }
    expect((await recorded('laps.reveal-refused', 4)).map(({ actorId }) => actorId)).toContain(carl.id);
  });

  test('who lacks the permission, API clients, devices, and whoever does not see the tenant', async () => {
    const auditor = await world.technician(tenant, 'AUDITOR', { groupIds: [readers] });
    await service.settled();
    const { actor } = agent;
    const client: Actor = { ...anna, kind: 'client', id: newId() } as Actor;
    for (const caller of [auditor, actor, client]) await expect(reveal(caller)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const stranger = await world.technician(await world.tenant(null), 'ADMINISTRATOR', { groupIds: [readers] });
    const sibling = await world.technician(await world.tenant(tenant), 'ADMINISTRATOR', { groupIds: [readers] });
    await service.settled();
    for (const caller of [stranger, sibling]) {
      const [known, unknown] = [await reveal(caller), await reveal(caller, { accountId: newId() })];
      expect(known).toEqual(unknown);
      expect(known.__typename).toBe('NotFound');
    }
  });

  test('who was taken out of the group, switched off, or whose group was taken out of the settings: at once', async () => {
    const groupIds = [readers];
    await world.technician(tenant, 'TECHNICIAN', { technicianId: anna.id, groupIds: [] });
    await service.settled();
    expect(await reveal(anna)).toMatchObject({ __typename: 'LapsAccessDenied' });
    await world.technician(tenant, 'TECHNICIAN', { technicianId: anna.id, groupIds, active: false });
    await service.settled();
    expect(await reveal(anna)).toMatchObject({ __typename: 'LapsAccessDenied' });
    await world.technician(tenant, 'TECHNICIAN', { technicianId: anna.id, groupIds });
    await service.settled();
    expect(await reveal(anna)).toMatchObject({ __typename: 'RevealedLapsPassword' });
    await world.settings(tenant, { localEnabled: true });
    await service.settled();
    expect(await reveal(anna)).toMatchObject({ __typename: 'LapsAccessDenied' });
  });

  test('more than 10 a minute, however they come', async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => reveal(anna)));
    expect(answers.filter((one) => one.__typename === 'RevealedLapsPassword')).toHaveLength(10);
    const refused = answers.find((one) => one.__typename === 'RevealsLimited');
    expect(Date.parse(String(refused?.['retryAt']))).toBeGreaterThan(service.clock.now().getTime());
    expect(await reveal(bert)).toMatchObject({ __typename: 'RevealedLapsPassword' });
    service.clock.advance(61);
    expect(await reveal(anna)).toMatchObject({ __typename: 'RevealedLapsPassword' });
  });
});

describe('it fails closed', () => {
  test('without its audit event there is no password, and nothing has changed', async () => {
    const state = async () => service.rows('select revealed_at, rotate_at from laps_account where id = $1', [accountId]);
    const before = await state();
    await service.owner(
      `create function laps_vault.no_audit() returns trigger language plpgsql as $$ begin if new.type = 'audit-recorded' then raise 'disk full'; end if; return new; end $$;
       create trigger no_audit before insert on laps_vault.outbox for each row execute function laps_vault.no_audit()`,
    );
    try {
      await expect(reveal(anna)).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(checkOut(anna)).rejects.toMatchObject({ code: 'INTERNAL' });
    } finally {
      await service.owner('drop trigger no_audit on laps_vault.outbox; drop function laps_vault.no_audit()');
    }
    expect(await state()).toEqual(before);
    expect(await service.rows('select 1 from laps_reveal where account_id = $1', [accountId])).toEqual([]);
    expect(await service.rows('select 1 from laps_check_out where account_id = $1', [accountId])).toEqual([]);
    expect(await opened(await reveal(anna))).toEqual([password]);
  });

  test('what cannot be opened is recorded all the same, and answers nothing', async () => {
    await service.rows('update laps_version set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) where id = $1', [
      versionId,
    ]);
    await expect(reveal(anna)).rejects.toMatchObject({ code: 'INTERNAL' });
    await recorded('laps.revealed', 1);
  });

  test('a row that was moved to another account, tenant or version does not open', async () => {
    const second = new TestAgent(service, world, await world.device(tenant));
    await service.settled();
    const other = await second.rotate('of another computer');
    await service.rows(
      'update laps_version set enc = o.enc, ciphertext = o.ciphertext, vault_key_id = o.vault_key_id from laps_version o where laps_version.id = $1 and o.id = $2',
      [versionId, other.versionId],
    );
    await expect(reveal(anna)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('a check-out', () => {
  test('keeps everybody else out until it is checked in, and then the password is changed', async () => {
    const answer = await checkOut(anna);
    expect(answer).toMatchObject({ account: { checkedOutBy: { id: anna.id }, dueAt: expect.any(String) } });
    expect(await opened(answer)).toEqual([password]);
    expect(await reveal(bert)).toMatchObject({ __typename: 'LapsCheckedOut', until: expect.any(String) });
    expect(await checkOut(bert)).toMatchObject({ __typename: 'LapsCheckedOut' });
    expect(await checkIn(bert)).toMatchObject({ __typename: 'LapsAccessDenied' });
    // Their own they read again, and it is not changed under them: neither by that, nor as planned.
    expect(await opened(await reveal(anna))).toEqual([password]);
    await expect(agent.escrow('too early')).rejects.toThrow('Nothing to rotate');
    expect(await checkIn(anna)).toMatchObject({ __typename: 'LapsAccount', checkedOutUntil: null });
    expect(await checkIn(anna)).toMatchObject({ __typename: 'LapsAccount' });
    await agent.rotate('after the check-in');
    expect(await opened(await reveal(bert))).toEqual(['after the check-in']);
    await recorded('laps.checked-out', 1);
    await recorded('laps.checked-in', 1);
  });

  test('of many at once one wins', async () => {
    const people = [
      anna,
      bert,
      ...(await Promise.all(Array.from({ length: 4 }, () => world.technician(tenant, 'TECHNICIAN', { groupIds: [readers] })))),
    ];
    await service.settled();
    const answers = await Promise.all(people.map((one) => checkOut(one)));
    expect(answers.map(({ __typename }) => __typename).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'LapsCheckedOut'),
      'RevealedLapsPassword',
    ]);
  });

  test('ends by an administrator, and when its time is over', async () => {
    await checkOut(anna);
    expect(await checkIn(administrator)).toMatchObject({ checkedOutUntil: null });
    await checkOut(anna);
    service.clock.advance(600);
    expect(await reveal(bert)).toMatchObject({ __typename: 'RevealedLapsPassword', account: { checkedOutBy: null } });
    await recorded('laps.checked-in', 2);
  });

  test.each([299, 28_801, 0])('of %d seconds is refused', async (seconds) =>
    expect(await checkOut(anna, { seconds })).toMatchObject({ __typename: 'InvalidInput', field: 'seconds' }),
  );
});

test('nothing of a password is in the database in plain text', async () => {
  await reveal(anna);
  await checkOut(anna);
  for (const { name } of await service.rows<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'laps_vault'`,
  )) {
    const rows = await service.rows(`select t::text as line from ${name} t`);
    for (const form of [password, Buffer.from(password).toString('hex'), Buffer.from(password).toString('base64').slice(0, -4)])
      expect(`${name}: ${JSON.stringify(rows)}`).not.toContain(form);
  }
});
