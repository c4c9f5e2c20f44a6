import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openKeyProvider } from '@stint/crypto';
import { eventually } from '@stint/testing';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { World, type Connected } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());

const fields = '... on EntraConnection { state usable credentials { id kind state certificatePem } problems { code } }';

async function act({ administrator, tenant }: Connected, name: string, more: object = {}) {
  const answer = await world.mutate(administrator, name, fields, { tenantId: tenant.tenantId, ...more });
  return answer as typeof answer & { credentials: { id: string; kind: string; state: string; certificatePem: string | null }[] };
}

test('a new secret takes over only when it works; the old one is used until then', async () => {
  const connected = await world.connected();
  await act(connected, 'addEntraSecret', { secret: 'not-the-right-secret', endsOn: world.day(300) });
  expect(await act(connected, 'verifyEntraConnection')).toMatchObject({
    usable: true,
    credentials: [{ state: 'IN_USE' }, { state: 'NEW' }],
    problems: [{ code: 'SECRET_WRONG' }],
  });
  connected.entra.addCredential(connected.app.clientId, { secret: { value: 'the-right-secret-now' } });
  await act(connected, 'addEntraSecret', { secret: 'the-right-secret-now', endsOn: world.day(300) });
  const after = await act(connected, 'verifyEntraConnection');
  expect(after).toMatchObject({ usable: true, credentials: [{ state: 'FORMER' }, { state: 'IN_USE' }], problems: [] });

  const [former, inUse] = after.credentials.map(({ id }) => id);
  expect(await act(connected, 'removeEntraCredential', { credentialId: inUse })).toMatchObject({ __typename: 'Conflict' });
  const removed = await act(connected, 'removeEntraCredential', { credentialId: former });
  expect(removed.credentials.map(({ id }) => id)).toEqual([inUse]);
});

test.each([
  ['5f0c2a31-2f0e-4f5e-9f57-7d1a4cf1a111', '2099-01-01', 'secret'],
  ['too short', '2099-01-01', 'secret'],
  ['a-secret-that-is-long-enough', 'tomorrow', 'endsOn'],
  ['a-secret-that-is-long-enough', '2020-01-01', 'endsOn'],
])('the secret %s until %s is refused at %s, and not quoted', async (secret, endsOn, field) => {
  const { administrator, tenant } = await world.connected();
  const input = { tenantId: tenant.tenantId, secret, endsOn };
  const refused = await world.mutate(administrator, 'addEntraSecret', '... on InvalidInput { field }', input);
  expect(refused).toMatchObject({ __typename: 'InvalidInput', field });
  expect(JSON.stringify(refused)).not.toContain(secret);
});

test('no secret and no private key is in a row, a message, an answer or an error', async () => {
  const connected = await world.connected();
  await act(connected, 'addEntraCertificate');
  connected.entra.changeApp(connected.app.clientId, { enabled: false });
  const answer = await act(connected, 'verifyEntraConnection');
  await service.audited('entra-connection.broken', connected.tenant.tenantId);
  const tables = await service.rows<{ name: string }>(
    `select tablename as name from pg_tables
     where schemaname = 'entra_connector' and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')`,
  );
  expect(tables.length).toBeGreaterThan(5);
  const kept = [JSON.stringify(answer), JSON.stringify(service.audits)];
  for (const { name } of tables) {
    kept.push(...(await service.rows<{ row: string }>(`select t::text as row from ${name} t`)).map(({ row }) => row));
  }
  for (const shape of [connected.secret, Buffer.from(connected.secret).toString('hex'), Buffer.from(connected.secret).toString('base64')]) {
    expect(kept.filter((text) => text.includes(shape))).toEqual([]);
  }
  expect(kept.filter((text) => text.includes('PRIVATE KEY'))).toEqual([]);
});

test('a credential that was moved to another tenant does not open', async () => {
  const [one, other] = [await world.connected(), await world.connected()];
  await service.rows(
    `update entra_credential set wrapped = (select wrapped from entra_credential where tenant_id = $1) where tenant_id = $2`,
    [one.tenant.tenantId, other.tenant.tenantId],
  );
  service.clock.advance(3_600);
  await expect(act(other, 'verifyEntraConnection')).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('a new root key takes over in the background, and connections go on', async () => {
  const connected = await world.connected();
  const folder = mkdtempSync(join(tmpdir(), 'stint-next-root-'));
  writeFileSync(join(folder, 'next.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const next = `file:${join(folder, 'next.key')}`;
  await service.restart({ KEY_PROVIDER: `${next},${service.keyProvider}` });
  const { rootKeyId } = openKeyProvider(next);
  // Whatever another test of this file has moved cannot be wrapped anew, and stays as it is.
  const behind = 'select 1 from entra_credential where tenant_id = $1 and root_key_id <> $2';
  await eventually(async () => expect(await service.rows(behind, [connected.tenant.tenantId, rootKeyId])).toEqual([]));
  await service.restart({ KEY_PROVIDER: next });
  expect(await act(connected, 'verifyEntraConnection')).toMatchObject({ usable: true, problems: [] });
});
