import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { openKeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { PasswordWorld, vaultKeys } from '../testing/password-world.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World } from '../testing/world.ts';

let running: TestLapsVault | undefined;
afterEach(() => running?.close());

async function everythingOpens(service: TestLapsVault, mspId: Id, passwords: ReadonlyMap<Id, string>, keyProvider: string): Promise<void> {
  const keys = vaultKeys(service.system, openKeyProvider(keyProvider));
  const computers = new PasswordWorld(service, new World(service));
  try {
    for (const [versionId, password] of passwords) expect(await computers.opened(keys, service.system, mspId, versionId)).toBe(password);
  } finally {
    keys.onApplicationShutdown();
  }
}

test('a restored backup opens with the root key of its day; computers that have gone on since then get new passwords', async () => {
  const service = (running = await TestLapsVault.start());
  const world = new World(service);
  const computers = new PasswordWorld(service, world);
  const tenant = await world.tenant(null);
  const { mspId, tenantId } = tenant;
  const administrator = await world.technician(tenant, 'ADMINISTRATOR');
  await world.settings(tenant, { localEnabled: true });
  const devices = [await computers.computer(tenant), await computers.computer(tenant)];
  await service.settled();
  const rotateKey = (of: TestLapsVault) => new World(of).mutate(administrator, 'rotateVaultKey', '... on VaultKey { id }', { tenantId });
  for (const device of devices) await computers.change(device);
  await rotateKey(service);
  // With passwords under both keys, perhaps in the middle of sealing them anew.
  await computers.fallDue(tenantId);
  for (const device of devices) await computers.change(device);
  const oldRootKey = service.keyProvider;
  const original = await service.leave();
  const backup = await original.copy();
  const inBackup = new Map(computers.passwords);
  expect(inBackup.size).toBe(4);

  // Life goes on: a new root key, a new vault key, a new password on one of the two computers. Then the server burns down.
  const folder = mkdtempSync(join(tmpdir(), 'stint-backup-'));
  writeFileSync(join(folder, 'next.key'), randomBytes(32).toString('hex'), { mode: 0o600 });
  const nextRootKey = `file:${join(folder, 'next.key')}`;
  const later = (running = await TestLapsVault.startOn(original, `${nextRootKey},${oldRootKey}`));
  await rotateKey(later);
  const laterComputers = new PasswordWorld(later, new World(later));
  const [ahead, unchanged] = devices;
  if (ahead === undefined || unchanged === undefined) throw new Error('No devices.');
  await laterComputers.fallDue(tenantId);
  const held = await laterComputers.change(ahead);
  const { currentVersionId } = await laterComputers.told(ahead);
  expect(currentVersionId).toBe(held?.versionId);
  await later.close();

  // A root key that is not the backup's opens nothing; the one of that day opens everything.
  running = undefined;
  const restored = (running = await TestLapsVault.startOn(backup, nextRootKey));
  await expect(everythingOpens(restored, mspId, inBackup, nextRootKey)).rejects.toThrow('another root key');
  await restored.restart({ KEY_PROVIDER: `${nextRootKey},${oldRootKey}` });
  await everythingOpens(restored, mspId, inBackup, `${nextRootKey},${oldRootKey}`);
  await eventually(async () =>
    expect(await restored.rows('select 1 from vault_key where root_key_id <> $1', [openKeyProvider(nextRootKey).rootKeyId])).toEqual([]),
  );
  await everythingOpens(restored, mspId, inBackup, nextRootKey);

  // The computer that went on holds a password that nobody knows any more. It sees that the vault expects another one, says so,
  // and gets a new password at once; the other one is as the vault knows it.
  const after = new PasswordWorld(restored, new World(restored));
  const told = await after.told(ahead);
  expect(told.currentVersionId).not.toBe(held?.versionId);
  expect(await after.due(ahead)).toBeNull();
  const report = { accountId: held?.accountId, incident: 'ROLLED_BACK', versionId: held?.versionId };
  expect(await new World(restored).mutate(ahead, 'reportLapsAccount', '', report)).toMatchObject({ __typename: 'LapsReportTaken' });
  const { details } = await restored.audited('laps.rolled-back', String(held?.accountId));
  expect(details).toMatchObject({ versionIsKnown: false });
  const changed = await after.change(ahead);
  expect((await after.told(ahead)).currentVersionId).toBe(changed?.versionId);
  expect(await after.due(unchanged)).toBeNull();
  await everythingOpens(restored, mspId, new Map([...inBackup, ...after.passwords]), nextRootKey);
});
