import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Actor, type Payload } from '@stint/contracts';
import { generateHpkeKeyPair, lapsSealing, openSealed } from '@stint/crypto';
import { newId } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { TestAgent } from '../testing/agent.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World } from '../testing/world.ts';

let service: TestLapsVault;
let world: World;
let msp: Payload<'tenant-changed'>;
let tenant: Payload<'tenant-changed'>;
let administrator: Actor;

beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
  msp = await world.tenant(null);
  tenant = await world.tenant(msp);
  administrator = await world.technician(msp, 'ADMINISTRATOR');
  await world.settings(tenant, { localEnabled: true });
  await service.settled();
});
afterAll(() => service.close());

interface Page {
  accounts: { accountId: string; hostName: string; name: string; enc: string; ciphertext: string }[];
  offlineKey: string;
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
const set = (by: Actor, tenantId: string, publicKey: string | null) =>
  world.mutate(by, 'setOfflineKey', '... on Tenant { offlineKey } ... on InvalidInput { field }', { tenantId, publicKey });
const exported = async (by: Actor, change: object = {}) =>
  world.mutate(
    by,
    'exportVault',
    '... on VaultExport { offlineKey accounts { accountId hostName name enc ciphertext } pageInfo { hasNextPage endCursor } } ... on InvalidInput { field }',
    { tenantId: tenant.tenantId, reason: 'Yearly drill', ...change },
  );

test('is sealed to the offline key of the tenant or of one above it, page by page, with all that may be right, and recorded', async () => {
  const computers = await Promise.all(Array.from({ length: 101 }, (_, at) => world.device(tenant, { hostName: `ws-${at}` })));
  await service.settled();
  expect(await exported(administrator)).toMatchObject({
    __typename: 'OfflineKeyMissing',
    message: expect.stringContaining('offline-key make'),
  });
  const offline = await generateHpkeKeyPair();
  expect(await set(administrator, msp.tenantId, offline.publicKey)).toEqual({ __typename: 'Tenant', offlineKey: offline.publicKey });
  const agent = new TestAgent(service, world, computers[100] as (typeof computers)[number]);
  const { accountId } = await agent.rotate('the first');
  await agent.tampered(accountId);
  await agent.escrow('the second, perhaps');
  const pages: Page[] = [];
  for (let after: string | null = null; ;) {
    const page = (await exported(administrator, { after })) as unknown as Page;
    pages.push(page);
    if (!page.pageInfo.hasNextPage) break;
    after = page.pageInfo.endCursor;
  }
  expect(pages.map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, false]);
  const found = pages.flatMap(({ accounts }) => accounts);
  expect(found).toMatchObject([{ accountId, hostName: 'ws-100', name: 'stint-admin' }]);
  const { info, aad } = lapsSealing.export;
  const sealed = found[0] as Page['accounts'][number];
  const open = (of: string) => openSealed({ privateKey: offline.privateKey, info, aad: aad(tenant.tenantId, of) }, sealed);
  const lines = (await open(accountId))
    .toString()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([
    { hostName: 'ws-100', name: 'stint-admin', certainty: 'CONFIRMED', password: 'the first', confirmedAt: expect.any(String) },
    { certainty: 'CANDIDATE', password: 'the second, perhaps', confirmedAt: null },
  ]);
  await expect(open(newId())).rejects.toThrow();
  await eventually(() => expect(service.audits.filter(({ action }) => action === 'laps.exported')).toHaveLength(2));
  // A key of its own counts more, and taken away the one above counts again.
  const own = await generateHpkeKeyPair();
  await set(administrator, tenant.tenantId, own.publicKey);
  expect(await exported(administrator)).toMatchObject({ offlineKey: own.publicKey });
  expect(await set(administrator, tenant.tenantId, null)).toMatchObject({ offlineKey: offline.publicKey });
});

test('is for administrators of the tenant', async () => {
  const outsiders = [
    await world.technician(await world.tenant(msp), 'ADMINISTRATOR'),
    await world.technician(await world.tenant(null), 'ADMINISTRATOR'),
  ];
  await service.settled();
  for (const outsider of outsiders) {
    expect(await exported(outsider)).toMatchObject({ __typename: 'NotFound' });
    expect(await set(outsider, tenant.tenantId, null)).toMatchObject({ __typename: 'NotFound' });
  }
  const technician = await world.technician(tenant, 'TECHNICIAN');
  await expect(exported(technician)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(set(technician, tenant.tenantId, null)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(exported({ ...administrator, kind: 'client' } as Actor)).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test.each<[string, object, string]>([
  ['no reason', { reason: ' ' }, 'reason'],
  ['a reason that is too long', { reason: 'x'.repeat(501) }, 'reason'],
])('with %s is refused', async (_, change, field) => {
  expect(await exported(administrator, change)).toMatchObject({ __typename: 'InvalidInput', field });
});

test('a key that is none is refused', async () => {
  expect(await set(administrator, tenant.tenantId, 'AAAA')).toMatchObject({ __typename: 'InvalidInput', field: 'publicKey' });
});
