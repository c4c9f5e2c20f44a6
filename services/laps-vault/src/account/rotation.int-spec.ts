import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, type Payload } from '@stint/contracts';
import { lapsSealing, sealTo } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World, type Thing } from '../testing/world.ts';
import { AccountAlarmSweep } from './account-alarm.sweep.ts';
import { AccountRepository } from './account.repository.ts';
import { HistorySweep } from './history.sweep.ts';
import { VersionRepository } from './version.repository.ts';

let service: TestLapsVault;
let world: World;
let tenant: Payload<'tenant-changed'>;
let administrator: Actor;
let computer: Payload<'device-changed'>;
let device: Actor;

beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
});
beforeEach(async () => {
  tenant = await world.tenant(null);
  administrator = await world.technician(tenant, 'ADMINISTRATOR');
  await world.settings(tenant, { localEnabled: true });
  computer = await world.device(tenant);
  device = world.actorOf(computer);
  await service.settled();
});
afterAll(() => service.close());

interface Desired {
  id: string;
  rotate: boolean;
  fence: number;
  currentVersionId: string | null;
  takeOver: string | null;
  enabled: boolean;
}
interface State {
  revision: number;
  accounts: Desired[] | null;
  vaultKey: { id: string; publicKey: string } | null;
}

const state = async (knownRevision: number | null = null, of = device): Promise<State> => {
  const query = `query ($id: ID!, $known: Int) { _entities(representations: [{ __typename: "Device", id: $id }]) { ... on Device { lapsState(knownRevision: $known) {
    revision vaultKey { id publicKey } accounts { id kind name enabled rotate fence currentVersionId takeOver policy { style length words unambiguous } } } } } }`;
  const { data, errors } = await service.send(of, query, { id: of.id, known: knownRevision });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return (data?.['_entities'] as { lapsState: State }[])[0]?.lapsState as State;
};
const only = async (): Promise<Desired & { key: State['vaultKey'] }> => {
  const { accounts, vaultKey } = await state();
  return { ...(accounts?.[0] as Desired), key: vaultKey };
};
const escrow = async (
  account: Awaited<ReturnType<typeof only>>,
  change: object = {},
  password = 'correct horse',
): Promise<Thing & { versionId: string }> => {
  const versionId = newId();
  const { escrow: info } = lapsSealing;
  const sealed = await sealTo(
    { publicKey: account.key?.publicKey ?? '', info: info.info, aad: info.aad(tenant.tenantId, account.id, versionId) },
    Buffer.from(password),
  );
  const input = { accountId: account.id, versionId, fence: account.fence, keyId: account.key?.id ?? newId(), ...sealed, ...change };
  const fields = '... on LapsEscrowed { fence } ... on InvalidInput { field }';
  return { ...(await world.mutate(device, 'escrowLapsPassword', fields, input)), versionId: input.versionId };
};
const confirm = (accountId: string, versionId: string) =>
  world.mutate(device, 'confirmLapsPassword', '... on LapsConfirmed { dueAt }', { accountId, versionId });
const report = (accountId: string, input: object) =>
  world.mutate(device, 'reportLapsAccount', '... on LapsReportTaken { revision } ... on InvalidInput { field }', { accountId, ...input });
const shown = async (id: string): Promise<Thing> =>
  (
    await service.send(
      administrator,
      'query ($id: ID!) { lapsAccount(id: $id) { __typename state problem finding { digest uid groups uses } dueAt confirmedAt overdue versions } }',
      { id },
    )
  ).data?.['lapsAccount'] as Thing;
const versions = (accountId: string) =>
  service.rows<{ id: string; state: string }>('select id, state from laps_version where account_id = $1 order by fence', [accountId]);
/** One whole rotation as an agent does it. */
const rotated = async (): Promise<{ id: string; versionId: string; dueAt: Date }> => {
  const account = await only();
  const { versionId } = await escrow(account);
  const { dueAt } = await confirm(account.id, versionId);
  return { id: account.id, versionId, dueAt: new Date(String(dueAt)) };
};

describe('a rotation', () => {
  test('goes escrow, set, confirm; afterwards nothing is due until the planned time', async () => {
    const first = await only();
    expect(first).toMatchObject({ rotate: true, fence: 0, currentVersionId: null, enabled: true, key: { publicKey: expect.any(String) } });
    expect(await shown(first.id)).toMatchObject({ state: 'WAITING', versions: 0 });
    const escrowed = await escrow(first);
    expect(escrowed).toMatchObject({ __typename: 'LapsEscrowed', fence: 1 });
    expect(await shown(first.id)).toMatchObject({ state: 'UNSURE', versions: 1 });
    const confirmed = await confirm(first.id, escrowed.versionId);
    const dueAt = new Date(String(confirmed['dueAt'])).getTime() - service.clock.now().getTime();
    expect(dueAt).toBeGreaterThan(0);
    expect(dueAt).toBeLessThanOrEqual(86_400_000);
    expect(await shown(first.id)).toMatchObject({ state: 'CONFIRMED', versions: 1, overdue: false });
    const { revision, accounts, vaultKey } = await state();
    expect(accounts).toMatchObject([{ rotate: false, fence: 1, currentVersionId: escrowed.versionId }]);
    expect(vaultKey).toBeNull();
    expect((await state(revision)).accounts).toBeNull();
    service.clock.advance(86_400);
    expect((await state(revision)).accounts).toMatchObject([{ rotate: true }]);
    await service.audited('laps.confirmed', first.id);
  });

  test('repeated calls are the same call', async () => {
    const account = await only();
    const { versionId, fence } = await escrow(account);
    const again = await service.rows<{ enc: Buffer; ciphertext: Buffer }>('select enc, ciphertext from laps_version where id = $1', [
      versionId,
    ]);
    const sealed = { enc: again[0]?.enc.toString('base64url'), ciphertext: again[0]?.ciphertext.toString('base64url') };
    expect(await escrow(account, { versionId, ...sealed })).toMatchObject({ __typename: 'LapsEscrowed', fence });
    expect(await escrow(account, { versionId })).toMatchObject({ __typename: 'InvalidInput', field: 'versionId' });
    const confirmed = await confirm(account.id, versionId);
    expect(await confirm(account.id, versionId)).toEqual(confirmed);
    expect(await versions(account.id)).toEqual([{ id: versionId, state: 'CURRENT' }]);
    // Not once it was replaced: who asks then is a computer that was set back to before it set this one.
    await report(account.id, { incident: 'TAMPERED' });
    await rotated();
    expect(await escrow(account, { versionId, ...sealed })).toMatchObject({ __typename: 'StaleFence' });
  });

  test('that is cut short leaves both passwords, and a late confirmation loses', async () => {
    const { id, versionId: first } = await rotated();
    await world.mutate(administrator, 'rotateLapsPassword', '... on LapsAccount { id }', { accountId: id });
    service.clock.advance(60);
    const lost = await escrow(await only());
    expect(await versions(id)).toMatchObject([{ state: 'CURRENT' }, { state: 'PENDING' }]);
    // The agent lost its journal and begins anew: the one that may have been set is kept.
    const next = await escrow(await only());
    expect(await versions(id)).toMatchObject([{ state: 'CURRENT' }, { state: 'CANDIDATE' }, { state: 'PENDING' }]);
    await confirm(id, next.versionId);
    expect(await versions(id)).toMatchObject([{ state: 'FORMER' }, { state: 'FORMER' }, { state: 'CURRENT' }]);
    for (const late of [lost.versionId, first]) expect(await confirm(id, late)).toMatchObject({ __typename: 'StaleFence' });
    expect(await confirm(id, newId())).toMatchObject({ __typename: 'StaleFence' });
  });

  test('of two escrows under one number one is taken', async () => {
    const account = await only();
    const both = await Promise.all([escrow(account), escrow(account)]);
    expect(both.map(({ __typename }) => __typename).sort()).toEqual(['LapsEscrowed', 'StaleFence']);
    expect(await versions(account.id)).toHaveLength(1);
  });

  test.each<[string, object, object]>([
    ['another key', { keyId: newId() }, { __typename: 'StaleFence' }],
    ['a key that is none', { keyId: 'x' }, { __typename: 'StaleFence' }],
    ['an older number', { fence: -1 }, { __typename: 'StaleFence' }],
    ['a short encapsulated key', { enc: 'AAAA' }, { __typename: 'InvalidInput', field: 'enc' }],
    ['padding', { enc: `${'A'.repeat(43)}=` }, { __typename: 'InvalidInput', field: 'enc' }],
    ['nothing sealed', { ciphertext: 'A'.repeat(22) }, { __typename: 'InvalidInput', field: 'ciphertext' }],
    ['too much sealed', { ciphertext: Buffer.alloc(529).toString('base64url') }, { __typename: 'InvalidInput', field: 'ciphertext' }],
    ['an id that is none', { versionId: 'x' }, { __typename: 'InvalidInput', field: 'versionId' }],
    ['another account', { accountId: newId() }, { __typename: 'NotFound' }],
  ])('with %s is refused, and nothing is kept', async (_, change, answer) => {
    const account = await only();
    expect(await escrow(account, change)).toMatchObject(answer);
    expect(await versions(account.id)).toEqual([]);
  });

  test('of a computer of somebody else is not found', async () => {
    const { id, versionId } = await rotated();
    device = world.actorOf(await world.device(tenant));
    await service.settled();
    expect(await confirm(id, versionId)).toMatchObject({ __typename: 'NotFound' });
    expect(await report(id, { problem: 'x' })).toMatchObject({ __typename: 'NotFound' });
    await expect(
      state(null, { ...device, id: computer.deviceId }).then(() => world.mutate(device, 'escrowLapsPassword', '', {})),
    ).rejects.toThrow();
  });

  test('is asked for by hand by administrators and readers, not twice within a minute, and the device is nudged', async () => {
    const { id } = await rotated();
    const rotate = (by: Actor) =>
      world.mutate(by, 'rotateLapsPassword', '... on LapsAccount { state dueAt }', { accountId: id, reason: 'Left' });
    const technician = await world.technician(tenant, 'TECHNICIAN');
    await service.settled();
    expect(await rotate(technician)).toMatchObject({ __typename: 'LapsAccessDenied' });
    await expect(rotate(await world.technician(tenant, 'AUDITOR'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const groupId = newId();
    await world.settings(tenant, { localEnabled: true, readerGroups: [groupId] });
    await world.technician(tenant, 'TECHNICIAN', { technicianId: technician.id, groupIds: [groupId] });
    await service.settled();
    const earliest = new Date(service.clock.now().getTime() + 60_000).toISOString();
    expect(await rotate(technician)).toMatchObject({ __typename: 'LapsAccount', dueAt: earliest });
    await eventually(() => expect(service.nudges).toContain(computer.deviceId));
    expect(await only()).toMatchObject({ rotate: false });
    service.clock.advance(60);
    expect(await only()).toMatchObject({ rotate: true });
    expect((await service.audited('laps.rotation-asked', id)).details).toMatchObject({ reason: 'Left' });
    await world.settings(tenant, { localEnabled: false });
    await service.settled();
    expect(await rotate(administrator)).toMatchObject({ __typename: 'Conflict' });
    expect(await shown(id)).toMatchObject({ state: 'OFF', versions: 1 });
    expect((await state()).accounts).toEqual([]);
  });

  test('that is planned waits for the pace, one that is asked for does not', async () => {
    const { id } = await rotated();
    service.clock.advance(86_400);
    await service.rows(
      `insert into laps_pace (msp_id, tenant_id, id, minute, let_through, per_minute) values ($1, $1, $1, 'epoch', 0, 60)
      on conflict (msp_id, id) do update set minute = 'epoch'`,
      [tenant.mspId],
    );
    const minute = new Date(Math.floor(service.clock.now().getTime() / 60_000) * 60_000);
    await service.rows('update laps_pace set minute = $2, let_through = 60 where id = $1', [tenant.mspId, minute]);
    expect(await only()).toMatchObject({ rotate: false });
    service.clock.advance(60);
    expect(await only()).toMatchObject({ rotate: true });
    // Counted once, however often the device asks.
    await state();
    expect(await service.rows('select let_through from laps_pace where id = $1', [tenant.mspId])).toEqual([{ let_through: 1 }]);
    expect(await shown(id)).toMatchObject({ state: 'CONFIRMED' });
  });
});

describe('an account that is not ours', () => {
  const digest = 'ab'.repeat(32);
  const finding = { uid: 1001, groups: ['sudo'], uses: ['process sshd'], digest };

  test('is shown, and touched only after a yes to just what was shown', async () => {
    const { id } = await only();
    expect(await report(id, { finding })).toMatchObject({ __typename: 'LapsReportTaken' });
    expect(await shown(id)).toMatchObject({ state: 'FOUND', finding });
    expect(await only()).toMatchObject({ rotate: false, takeOver: null });
    expect(await escrow({ ...(await only()), key: { id: newId(), publicKey: computer.hpkeKey } } as never).catch(() => null)).toBeNull();
    const take = (by: Actor, seen: string) =>
      world.mutate(by, 'takeOverLapsAccount', '... on LapsAccount { state }', { accountId: id, digest: seen });
    expect(await take(administrator, 'cd'.repeat(32))).toMatchObject({ __typename: 'Conflict' });
    await expect(take(await world.technician(tenant, 'TECHNICIAN'), digest)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await take(administrator, digest)).toMatchObject({ __typename: 'LapsAccount', state: 'WAITING' });
    expect(await only()).toMatchObject({ rotate: true, takeOver: digest });
    // It changed in between: a new yes is needed.
    await report(id, { finding: { ...finding, digest: 'cd'.repeat(32) } });
    expect(await only()).toMatchObject({ rotate: false, takeOver: null });
    await service.audited('laps.taken-over', id);
  });

  test.each<[string, object, string]>([
    ['digest', { digest: 'x' }, 'finding.digest'],
    ['list of groups', { groups: Array.from({ length: 51 }, () => 'g') }, 'finding.groups'],
    ['list of uses', { uses: Array.from({ length: 51 }, () => 'u') }, 'finding.uses'],
  ])('with a wrong %s is refused', async (_, change, field) => {
    const { id } = await only();
    expect(await report(id, { finding: { ...finding, ...change } })).toMatchObject({ __typename: 'InvalidInput', field });
    expect(await shown(id)).toMatchObject({ state: 'WAITING' });
  });
});

describe('what happens outside of Stint', () => {
  test('a changed password is told once, and changed at once', async () => {
    const { id } = await rotated();
    for (let time = 0; time < 2; time++) await report(id, { incident: 'TAMPERED' });
    expect(await only()).toMatchObject({ rotate: true });
    await service.audited('laps.tampered', id);
    await service.settled();
    expect(service.audits.filter(({ action, subjectId }) => action === 'laps.tampered' && subjectId === id)).toHaveLength(1);
  });

  test('a computer set back holds a former password, which is shown again until the next one is confirmed', async () => {
    const { id, versionId: old } = await rotated();
    await report(id, { incident: 'TAMPERED' });
    const { versionId: current } = await rotated();
    expect(await versions(id)).toMatchObject([{ state: 'FORMER' }, { state: 'CURRENT' }]);
    // Also while a change is asked for anyway.
    await world.mutate(administrator, 'rotateLapsPassword', '... on LapsAccount { id }', { accountId: id });
    await report(id, { incident: 'ROLLED_BACK', versionId: old });
    expect(await versions(id)).toEqual([
      { id: old, state: 'CANDIDATE' },
      { id: current, state: 'CURRENT' },
    ]);
    expect(await shown(id)).toMatchObject({ state: 'UNSURE' });
    await rotated();
    expect(await versions(id)).toMatchObject([{ state: 'FORMER' }, { state: 'FORMER' }, { state: 'CURRENT' }]);
    expect((await service.audited('laps.rolled-back', id)).details).toMatchObject({ versionIsKnown: true });
  });

  test('a version that the vault never had is told as unknown, and changed at once', async () => {
    const { id } = await rotated();
    await report(id, { incident: 'ROLLED_BACK', versionId: newId() });
    expect(await only()).toMatchObject({ rotate: true });
    expect((await service.audited('laps.rolled-back', id)).details).toMatchObject({ versionIsKnown: false });
  });
});

describe('alarms', () => {
  const sweep = async () => {
    const alarms = new AccountAlarmSweep(new AccountRepository());
    while ((await service.system.asSystem((tx) => alarms.run(tx, service.clock.now()))) > 0);
  };

  test('a password that is not changed in time is told once, and so is its recovery', async () => {
    const { id, dueAt } = await rotated();
    service.clock.advance((dueAt.getTime() - service.clock.now().getTime()) / 1000 + 21_599);
    await sweep();
    expect(await shown(id)).toMatchObject({ overdue: false });
    service.clock.advance(1);
    await sweep();
    // The service's own sweep may have had the account in hand.
    await eventually(async () => expect(await shown(id)).toMatchObject({ overdue: true }));
    await sweep();
    const needing = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant { lapsAccounts(needsAttention: true) { edges { node { id } } } } } }`;
    const attention = async () => (await service.send(administrator, needing, { id: tenant.tenantId })).data?.['_entities'];
    expect(await attention()).toEqual([{ lapsAccounts: { edges: [{ node: { id } }] } }]);
    await rotated();
    await service.audited('laps.recovered', id);
    expect(await attention()).toEqual([{ lapsAccounts: { edges: [] } }]);
    expect(service.audits.filter(({ action, subjectId }) => action === 'laps.overdue' && subjectId === id)).toHaveLength(1);
  });

  test('an agent that does not get on is told after an hour, in its own words', async () => {
    const { id } = await only();
    await report(id, { problem: 'Windows LAPS\u0000 manages it.' });
    expect(await shown(id)).toMatchObject({ state: 'STUCK', problem: 'Windows LAPS manages it.' });
    await sweep();
    await report(id, { problem: 'Still so.' });
    service.clock.advance(3_601);
    await sweep();
    expect((await service.audited('laps.stuck', id)).details).toMatchObject({ problem: 'Still so.' });
    await report(id, {});
    expect(await shown(id)).toMatchObject({ state: 'WAITING', problem: null });
  });
});

test('former passwords stay for 90 days, and for longer the newest of them', async () => {
  await world.settings(tenant, { localEnabled: true, historyLength: 2 });
  await service.settled();
  let id = '';
  for (let time = 0; time < 5; time++) {
    ({ id } = await rotated());
    await report(id, { incident: 'TAMPERED' });
  }
  const sweep = async () => service.system.asSystem((tx) => new HistorySweep(new VersionRepository()).run(tx, service.clock.now()));
  service.clock.advance(89 * 86_400);
  await sweep();
  expect(await versions(id)).toHaveLength(5);
  service.clock.advance(2 * 86_400);
  await eventually(async () => {
    await sweep();
    expect((await versions(id)).map((one) => one.state)).toEqual(['FORMER', 'FORMER', 'CURRENT']);
  });
});
