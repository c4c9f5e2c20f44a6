import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { permissions, type Actor } from '@stint/contracts';
import { generateHpkeKeyPair } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { parse, type FieldDefinitionNode } from 'graphql';
import { TestAgent } from './testing/agent.ts';
import { TestLapsVault } from './testing/test-laps-vault.ts';
import { World } from './testing/world.ts';

// Who hears what, by every operation and every field that leads to rows: a new one without its line here fails.
let service: TestLapsVault;
let bert: Actor;
let ids: Record<'tenant' | 'device' | 'account' | 'version', Id>;
let publicKey: string;
const callers: Partial<Record<Caller, Actor[]>> = {};

type Caller = keyof typeof kinds;
const kinds = {
  reader: 'a technician in a group of readers',
  outsider: 'a technician in no such group',
  removed: 'a technician taken out of the group, one switched off, and one whose other group is no reader any more',
  auditor: 'somebody in the group whose role reads no passwords',
  client: 'an API client with every permission',
  administrator: 'an administrator in no such group',
  stranger: 'administrators of another customer and of another MSP, in groups of the same id',
  device: 'a computer beside it, and one of another MSP',
};

beforeAll(async () => {
  service = await TestLapsVault.start();
  const world = new World(service);
  ({ publicKey } = await generateHpkeKeyPair());
  const msp = await world.tenant(null);
  const tenant = await world.tenant(msp);
  const [readers, former] = [newId(), newId()];
  const groupIds = [readers];
  await world.settings(tenant, { localEnabled: true, readerGroups: [readers, former] });
  bert = await world.technician(tenant, 'TECHNICIAN', { groupIds });
  const administrator = await world.technician(tenant, 'ADMINISTRATOR');
  const removed = await world.technician(tenant, 'TECHNICIAN', { groupIds });
  const off = await world.technician(tenant, 'TECHNICIAN', { groupIds });
  const other = await world.tenant(null);
  Object.assign(callers, {
    reader: [await world.technician(tenant, 'TECHNICIAN', { groupIds })],
    outsider: [await world.technician(tenant, 'TECHNICIAN', { groupIds: [newId()] })],
    removed: [removed, off, await world.technician(tenant, 'TECHNICIAN', { groupIds: [former] })],
    auditor: [await world.technician(tenant, 'AUDITOR', { groupIds })],
    client: [{ ...administrator, kind: 'client', id: newId(), access: [{ tenantId: tenant.tenantId, permissions: [...permissions] }] }],
    administrator: [administrator],
    stranger: [
      await world.technician(await world.tenant(msp), 'ADMINISTRATOR', { groupIds }),
      await world.technician(other, 'ADMINISTRATOR', { groupIds }),
    ],
    device: [world.actorOf(await world.device(tenant)), world.actorOf(await world.device(other))],
  } satisfies Record<Caller, Actor[]>);
  const computer = await world.device(tenant);
  await service.settled();
  const { accountId, versionId } = await new TestAgent(service, world, computer).rotate('Correct-horse-1');
  ids = { tenant: tenant.tenantId, device: computer.deviceId, account: accountId, version: versionId };
  await world.mutate(administrator, 'setOfflineKey', '', { tenantId: tenant.tenantId, publicKey });
  await world.technician(tenant, 'TECHNICIAN', { technicianId: removed.id, groupIds: [] });
  await world.technician(tenant, 'TECHNICIAN', { technicianId: off.id, groupIds, active: false });
  await world.settings(tenant, { localEnabled: true, readerGroups: [readers] });
  await service.settled();
  // Old enough that nobody waits for what may be on its way.
  service.clock.advance(86_400);
});
afterAll(() => service.close());

const of = (type: string, fields: string) =>
  `{ _entities(representations: [{ __typename: "${type}", id: "${type === 'LapsAccount' ? 'ACCOUNT' : type.toUpperCase()}" }]) { ... on ${type} { ${fields} } } }`;
const mutation = (name: string, input: string) => `mutation { answer: ${name}(input: { ${input} }) { __typename } }`;
const reading = (more = '') => `id: "${newId()}", accountId: "ACCOUNT", reason: "Down", recipientKey: "KEY"${more}`;

type Table = Record<string, { query: () => string; hears: Record<Caller, string> }>;
/** Whoever may see the tenant's computers; others hear that there is nothing. */
const seen = (answer: string): Record<Caller, string> => ({
  ...{ reader: answer, outsider: answer, removed: answer, auditor: answer, client: answer, administrator: answer },
  ...{ stranger: 'NOT_FOUND', device: 'FORBIDDEN' },
});
const refused = {
  ...{ reader: 'FORBIDDEN', outsider: 'FORBIDDEN', removed: 'FORBIDDEN', auditor: 'FORBIDDEN', client: 'FORBIDDEN' },
  ...{ administrator: 'FORBIDDEN', stranger: 'FORBIDDEN', device: 'FORBIDDEN' },
};
/** Those who keep the vault of the tenant. */
const managed = (administrator: string, client = administrator) => ({ ...refused, administrator, client, stranger: 'NotFound' });
const denied = { outsider: 'LapsAccessDenied', removed: 'LapsAccessDenied', stranger: 'NotFound' };
const read = { ...refused, ...denied, reader: 'RevealedLapsPassword', administrator: 'LapsAccessDenied' };
const ofDevices = { ...refused, device: 'NotFound' };
const table: Table = {
  'Query.lapsAccount': { query: () => '{ answer: lapsAccount(id: "ACCOUNT") { __typename } }', hears: seen('LapsAccount') },
  'reference LapsAccount': { query: () => of('LapsAccount', 'name'), hears: seen('stint-admin') },
  'Tenant.lapsAccounts': { query: () => of('Tenant', 'lapsAccounts { edges { node { name } } }'), hears: seen('stint-admin') },
  'Tenant.vaultKey': { query: () => of('Tenant', 'vaultKey { publicKey }'), hears: seen('publicKey') },
  'Tenant.offlineKey': { query: () => of('Tenant', 'offlineKey'), hears: seen('offlineKey') },
  'Device.lapsAccounts': { query: () => of('Device', 'lapsAccounts { name }'), hears: seen('stint-admin') },
  'Device.lapsState': { query: () => of('Device', 'lapsState { revision }'), hears: { ...refused, device: 'NOT_FOUND' } },
  'Mutation.revealLapsPassword': { query: () => mutation('revealLapsPassword', reading()), hears: read },
  'Mutation.checkOutLapsAccount': { query: () => mutation('checkOutLapsAccount', reading(', seconds: 600')), hears: read },
  // Somebody else has it.
  'Mutation.checkInLapsAccount': {
    query: () => mutation('checkInLapsAccount', 'accountId: "ACCOUNT"'),
    hears: { ...refused, ...denied, reader: 'LapsAccessDenied', client: 'LapsAccount', administrator: 'LapsAccount' },
  },
  'Mutation.rotateLapsPassword': {
    query: () => mutation('rotateLapsPassword', 'accountId: "ACCOUNT"'),
    hears: { ...refused, ...denied, reader: 'LapsAccount', client: 'LapsAccount', administrator: 'LapsAccount' },
  },
  'Mutation.takeOverLapsAccount': {
    query: () => mutation('takeOverLapsAccount', `accountId: "ACCOUNT", digest: "${'ab'.repeat(32)}"`),
    hears: managed('Conflict'),
  },
  'Mutation.rotateVaultKey': { query: () => mutation('rotateVaultKey', 'tenantId: "TENANT"'), hears: managed('VaultKey') },
  'Mutation.setOfflineKey': { query: () => mutation('setOfflineKey', 'tenantId: "TENANT", publicKey: "KEY"'), hears: managed('Tenant') },
  'Mutation.exportVault': {
    query: () => mutation('exportVault', 'tenantId: "TENANT", reason: "Drill"'),
    hears: managed('VaultExport', 'FORBIDDEN'),
  },
  'Mutation.escrowLapsPassword': {
    query: () =>
      mutation(
        'escrowLapsPassword',
        `accountId: "ACCOUNT", versionId: "${newId()}", fence: 1, keyId: "${newId()}", enc: "KEY", ciphertext: "${'A'.repeat(40)}"`,
      ),
    hears: ofDevices,
  },
  'Mutation.confirmLapsPassword': {
    query: () => mutation('confirmLapsPassword', 'accountId: "ACCOUNT", versionId: "VERSION"'),
    hears: ofDevices,
  },
  'Mutation.reportLapsAccount': {
    query: () => mutation('reportLapsAccount', 'accountId: "ACCOUNT", incident: TAMPERED'),
    hears: ofDevices,
  },
};

/** What a caller is told about these ids, as text. */
async function told(caller: Actor, query: string, about: typeof ids): Promise<string> {
  const named = query
    .replaceAll('ACCOUNT', about.account)
    .replaceAll('TENANT', about.tenant)
    .replaceAll('DEVICE', about.device)
    .replaceAll('VERSION', about.version)
    .replaceAll('KEY', publicKey);
  return JSON.stringify(await service.send(caller, named));
}

test('every operation and every field that leads to rows has its line', () => {
  const sdl = parse(readFileSync(join(import.meta.dirname, '..', 'schema.graphql'), 'utf8'));
  const fields = (type: string) =>
    sdl.definitions.flatMap((definition) =>
      definition.kind === 'ObjectTypeDefinition' && definition.name.value === type ? (definition.fields ?? []) : [],
    ) as FieldDefinitionNode[];
  const expected = ['Query', 'Mutation', 'Tenant', 'Device', 'Technician'].flatMap((type) =>
    fields(type).flatMap(({ name }) => (name.value === 'id' ? [] : [`${type}.${name.value}`])),
  );
  expect(
    Object.keys(table)
      .filter((name) => name.includes('.'))
      .sort(),
  ).toEqual(expected.sort());
});

describe.each(Object.entries(table))('%s', (name, { query, hears }) => {
  beforeAll(async () => {
    const [administrator] = callers.administrator ?? [];
    if (administrator !== undefined) await told(administrator, mutation('checkInLapsAccount', 'accountId: "ACCOUNT"'), ids);
    if (name === 'Mutation.checkInLapsAccount') await told(bert, mutation('checkOutLapsAccount', reading(', seconds: 600')), ids);
    service.clock.advance(61);
  });

  test.each(Object.entries(kinds) as [Caller, string][])('%s: %s', async (caller) => {
    for (const one of callers[caller] ?? []) {
      const answer = await told(one, query(), ids);
      expect(answer).toMatch(new RegExp(`"${hears[caller]}"`));
      if (!/NOT_?FOUND/i.test(hears[caller])) continue;
      // Just what anybody hears of nothing at all.
      const nothing = { tenant: newId(), device: newId(), account: newId(), version: newId() };
      const plain = (text: string) => text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id');
      service.clock.advance(86_400);
      expect(plain(await told(one, query(), nothing))).toBe(plain(answer));
    }
  });
});
