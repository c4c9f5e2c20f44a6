import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Actor, type Payload } from '@stint/contracts';
import { generateHpkeKeyPair, lapsSealing, openReveal, openSealed, type SealedCandidate } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { TestConnector } from '../testing/test-connector.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World, type Thing } from '../testing/world.ts';

const hour = 3600;
let service: TestLapsVault;
let world: World;
let tenant: Payload<'tenant-changed'>;
let anna: Actor;
let administrator: Actor;
let connector: TestConnector;

beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
});
afterAll(() => service.close());
beforeEach(async () => {
  tenant = await world.tenant(null);
  const readers = newId();
  anna = await world.technician(tenant, 'TECHNICIAN', { groupIds: [readers] });
  administrator = await world.technician(tenant, 'ADMINISTRATOR');
  await world.settings(tenant, { readerGroups: [readers], passwordLength: 30 });
  connector = new TestConnector(service, tenant);
  await connector.tell();
});

const fields = '... on LapsAccount { kind name state problem device { id } versions checkedOutUntil }';
const shown = async (by = administrator): Promise<Thing> => {
  const query = `query ($id: ID!) { lapsAccount(id: $id) { __typename kind name state problem overdue device { id } versions } }`;
  const { data, errors } = await service.send(by, query, { id: connector.accountId });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data?.['lapsAccount'] as Thing;
};
async function revealed(change: object = {}): Promise<(string | null)[]> {
  const { publicKey, privateKey } = await generateHpkeKeyPair();
  const input = { id: newId(), accountId: connector.accountId, reason: 'Sign-in is down', recipientKey: publicKey, ...change };
  const answer = await world.mutate(
    anna,
    'revealLapsPassword',
    '... on RevealedLapsPassword { candidates { versionId certainty enc ciphertext } }',
    input,
  );
  const opened = await openReveal({ privateKey, accountId: connector.accountId }, answer['candidates'] as SealedCandidate[]);
  return opened.map(({ password }) => password);
}

describe('a break-glass account of Entra', () => {
  test('is on no device, and its first password is asked for at once, by the policy of the settings', async () => {
    expect(await shown()).toMatchObject({ kind: 'ENTRA', name: 'bg@contoso.example', state: 'WAITING', device: null });
    const due = await connector.due(1);
    expect(due).toMatchObject({ tenantId: tenant.tenantId, fence: 0, policy: { style: 'CHARACTERS', length: 30 } });
    const versionId = await connector.rotate(due, 'the first');
    expect(await shown()).toMatchObject({ state: 'CONFIRMED', versions: 1 });
    const confirmed = await service.audited('laps.confirmed', connector.accountId);
    expect(confirmed).toMatchObject({
      actorKind: 'system',
      tenantId: tenant.tenantId,
      details: { versionId, accountName: 'bg@contoso.example' },
    });
    expect(await revealed()).toEqual(['the first']);
    const list = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant { lapsAccounts { edges { node { id kind } } } } } }`;
    const { data } = await service.send(administrator, list, { id: tenant.tenantId });
    expect(JSON.stringify(data)).toContain(`{"id":"${connector.accountId}","kind":"ENTRA"}`);
  });

  test('is changed by its interval, when somebody asks, after a reveal, and after a check-in', async () => {
    await connector.rotate(await connector.due(1), 'the first');
    service.clock.advance(1.2 * 86_400);
    await connector.rotate(await connector.due(2), 'by its interval');
    service.clock.advance(hour);
    await world.mutate(anna, 'rotateLapsPassword', fields, { accountId: connector.accountId });
    await connector.rotate(await connector.due(3), 'asked for');
    expect(await revealed()).toEqual(['asked for']);
    service.clock.advance(2 * hour);
    await connector.rotate(await connector.due(4), 'after the reveal');
    const { publicKey: recipientKey } = await generateHpkeKeyPair();
    const out = { id: newId(), accountId: connector.accountId, reason: 'Drill', recipientKey, seconds: 600 };
    expect((await world.mutate(anna, 'checkOutLapsAccount', '', out)).__typename).toBe('RevealedLapsPassword');
    service.clock.advance(90);
    await world.mutate(anna, 'checkInLapsAccount', fields, { accountId: connector.accountId });
    await connector.rotate(await connector.due(5), 'after the check-in');
    expect(await revealed({ history: true })).toEqual([
      'after the check-in',
      'after the reveal',
      'asked for',
      'by its interval',
      'the first',
    ]);
  });

  test('shows every password that may be right until a newer one was read back', async () => {
    await connector.rotate(await connector.due(1), 'the first');
    service.clock.advance(1.2 * 86_400);
    const due = await connector.due(2);
    const second = await connector.escrow(due, 'the second');
    expect(second).toMatchObject({ taken: true, fence: due.fence + 1 });
    expect(await shown()).toMatchObject({ state: 'UNSURE' });
    // Entra refused it, or nobody knows: another one follows.
    const third = await connector.escrow({ ...due, fence: second.fence }, 'the third');
    expect(await revealed()).toEqual(['the first', 'the third', 'the second']);
    await connector.confirm(third.versionId);
    expect(await revealed()).toEqual(['the third']);
  });

  test('takes messages that are late, doubled or of another number for what they are', async () => {
    const due = await connector.due(1);
    const versionId = newId();
    expect(await connector.escrow(due, 'the first', versionId)).toMatchObject({ taken: true, fence: 1 });
    expect(await connector.escrow(due, 'another with the old number')).toMatchObject({ taken: false, fence: 1 });
    await connector.confirm(versionId);
    await connector.confirm(versionId);
    expect(await revealed()).toEqual(['the first']);
    // What was told first comes last.
    await connector.tell({ userPrincipalName: 'newer@contoso.example', versionId });
    await connector.tell({ userPrincipalName: 'older@contoso.example', version: 1 });
    expect(await shown()).toMatchObject({ name: 'newer@contoso.example', state: 'CONFIRMED', versions: 1 });
  });

  test('whose connector was set back: the former password is shown again, and changed at once', async () => {
    const first = await connector.rotate(await connector.due(1), 'the first');
    service.clock.advance(1.2 * 86_400);
    await connector.rotate(await connector.due(2), 'the second');
    await connector.confirm(first);
    expect(await revealed()).toEqual(['the second', 'the first']);
    await connector.rotate(await connector.due(3), 'the third');
    expect(await revealed()).toEqual(['the third']);
  });

  test('that somebody else changed, or whose password a restored vault does not know, is changed at once', async () => {
    const versionId = await connector.rotate(await connector.due(1), 'the first');
    await connector.tell({ versionId, tampered: true });
    await connector.rotate(await connector.due(2), 'the second');
    await connector.tell({ versionId: newId() });
    await connector.due(3);
  });

  test('that cannot be changed is stuck, and told once', async () => {
    await connector.rotate(await connector.due(1), 'the first');
    await connector.tell({ problem: 'Consent is missing.' });
    expect(await shown()).toMatchObject({ state: 'STUCK', problem: 'Consent is missing.' });
    service.clock.advance(2 * hour);
    expect(await service.audited('laps.stuck', connector.accountId)).toMatchObject({ details: { problem: 'Consent is missing.' } });
    await connector.tell();
    expect(await shown()).toMatchObject({ state: 'CONFIRMED', problem: null });
  });

  test('of which nothing is heard is told as overdue, and the connector is told again', async () => {
    await connector.due(1);
    service.clock.advance(2 * hour);
    await connector.due(2);
    service.clock.advance(2 * 86_400);
    await service.audited('laps.overdue', connector.accountId);
    await connector.rotate(await connector.due(3), 'at last');
    await service.audited('laps.recovered', connector.accountId);
  });

  test('that was removed keeps its passwords and is changed no more; registered again it is changed at once', async () => {
    await connector.rotate(await connector.due(1), 'the first');
    await connector.tell({ registered: false });
    expect(await shown()).toMatchObject({ state: 'OFF' });
    expect(await revealed()).toEqual(['the first']);
    service.clock.advance(3 * 86_400);
    expect((await world.mutate(administrator, 'rotateLapsPassword', fields, { accountId: connector.accountId })).__typename).toBe(
      'Conflict',
    );
    await connector.tell();
    await connector.rotate(await connector.due(2), 'the second');
    expect(connector.told).toHaveLength(2);
  });

  test('is in the emergency export', async () => {
    await connector.rotate(await connector.due(1), 'the first');
    const offline = await generateHpkeKeyPair();
    await world.mutate(administrator, 'setOfflineKey', '', { tenantId: tenant.tenantId, publicKey: offline.publicKey });
    const answer = await world.mutate(
      administrator,
      'exportVault',
      '... on VaultExport { accounts { accountId hostName name enc ciphertext } }',
      {
        ...{ tenantId: tenant.tenantId, reason: 'Yearly drill' },
      },
    );
    const [one] = answer['accounts'] as { accountId: Id; hostName: string; name: string; enc: string; ciphertext: string }[];
    expect(one).toMatchObject({ accountId: connector.accountId, hostName: 'Entra ID', name: 'bg@contoso.example' });
    const { info, aad } = lapsSealing.export;
    const place = { privateKey: offline.privateKey, info, aad: aad(tenant.tenantId, connector.accountId) };
    expect((await openSealed(place, one as { enc: string; ciphertext: string })).toString()).toContain('"password":"the first"');
  });

  test('is seen by nobody of another MSP', async () => {
    const stranger = await world.technician(await world.tenant(null), 'ADMINISTRATOR');
    await service.settled();
    await expect(shown(stranger)).rejects.toThrow('NOT_FOUND');
  });
});
