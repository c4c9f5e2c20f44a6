import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openKeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import { vaultKeys } from '../testing/password-world.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { VaultKeyWorld } from '../testing/vault-key-world.ts';
import { ResealRepository } from './reseal.repository.ts';
import { ResealSweep } from './reseal.sweep.ts';
import { RetiredKeySweep } from './retired-key.sweep.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';

let service: TestLapsVault;
let vault: VaultKeyWorld;
beforeAll(async () => {
  service = await TestLapsVault.start();
});
beforeEach(async () => {
  vault = await VaultKeyWorld.in(service);
});
afterAll(() => service.close());

const silent = { error: () => undefined };
const reseal = (keys: ReturnType<typeof vaultKeys>, log: { error(fields: object): void } = silent) =>
  new ResealSweep(new ResealRepository(), new VaultKeyRepository(), keys, log);
const nothingBehind = async () => {
  const sweep = reseal(vaultKeys(service.system, openKeyProvider(service.keyProvider)));
  while ((await sweep.step(service.system)) > 0);
  expect(await vault.shownKey()).toMatchObject({ behind: 0 });
};

describe('a new vault key', () => {
  test('takes the place of the old one; passwords move to it, and the old private half is destroyed', async () => {
    expect(await vault.shownKey()).toBeNull();
    await vault.changedComputers(3);
    const old = await vault.shownKey();
    expect(old).toMatchObject({ behind: 0 });
    const made = await vault.rotateKey();
    expect(made).toMatchObject({ __typename: 'VaultKey' });
    expect(made['publicKey']).not.toBe(old?.['publicKey']);
    await service.audited('vault-key.rotated', String(made['id']));
    // By the running service, unasked.
    await eventually(async () => expect(await vault.shownKey()).toMatchObject({ id: made['id'], behind: 0 }));
    await vault.everythingOpens();
    const [retired] = await service.rows<{ wrapped_private_key: Buffer | null }>(
      'select wrapped_private_key from vault_key where id = $1',
      [old?.['id']],
    );
    expect(retired?.wrapped_private_key).not.toBeNull();
    // A day for what is on its way, an hour without passwords.
    const sweep = new RetiredKeySweep(new VaultKeyRepository());
    const at = (hours: number) =>
      service.system.asSystem((tx) => sweep.run(tx, new Date(service.clock.now().getTime() + hours * 3_600_000)));
    expect([await at(24), await at(25.5), await at(26)]).toEqual([0, 0, 0]);
    expect(await at(27)).toBe(1);
    expect(
      await service.rows('select wrapped_private_key, retired_at is null as used from vault_key where tenant_id = $1 order by used', [
        vault.tenant.tenantId,
      ]),
    ).toEqual([
      { wrapped_private_key: null, used: false },
      { wrapped_private_key: expect.any(Buffer), used: true },
    ]);
    await service.audited('vault-key.destroyed', String(old?.['id']));
    await vault.everythingOpens();
  });

  test('takes a password that was sealed to the old one for a day, and moves it', async () => {
    const [device = vault.administrator, late = vault.administrator] = await vault.computersOf(vault.tenant, 2);
    const [due, dueLate] = [await vault.computers.due(device), await vault.computers.due(late)];
    if (due === null || dueLate === null) throw new Error('Nothing is due.');
    await vault.rotateKey();
    service.clock.advance(86_000);
    const { versionId, input, answer } = await vault.computers.escrow(device, due);
    expect(answer).toBe('LapsEscrowed');
    await nothingBehind();
    // The answer was lost, and meanwhile the password was sealed anew: still the same call.
    expect(await vault.computers.send(device, input)).toBe('LapsEscrowed');
    expect(await vault.computers.confirm(device, due.accountId, versionId)).toBe('LapsConfirmed');
    await vault.everythingOpens();
    service.clock.advance(400);
    expect((await vault.computers.escrow(late, dueLate)).answer).toBe('StaleFence');
  });

  test('is for those who may manage LAPS there; a foreign tenant is not found', async () => {
    const helpdesk = await vault.world.technician(vault.tenant, 'HELPDESK');
    const elsewhere = await vault.world.tenant(null);
    const stranger = await vault.world.technician(elsewhere, 'ADMINISTRATOR');
    await service.settled();
    await expect(vault.rotateKey(helpdesk)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await vault.rotateKey(stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await vault.rotateKey(vault.administrator, 'x')).toMatchObject({ __typename: 'NotFound' });
    await expect(vault.shownKey(stranger)).rejects.toThrow();
    expect(await vault.rows('vault_key')).toEqual([]);
  });

  test('is made once where several are asked for at once', async () => {
    await vault.rotateKey();
    const answers = await Promise.all(Array.from({ length: 8 }, () => vault.rotateKey()));
    const made = answers.filter((one) => one.__typename === 'VaultKey');
    expect(made.length).toBeGreaterThan(0);
    expect(answers.filter((one) => one.__typename !== 'VaultKey').map((one) => one.__typename)).toEqual(
      Array.from({ length: 8 - made.length }, () => 'Conflict'),
    );
    const inUse = await service.rows('select id from vault_key where tenant_id = $1 and retired_at is null', [vault.tenant.tenantId]);
    expect(inUse).toHaveLength(1);
    expect(await vault.rows('vault_key')).toHaveLength(1 + made.length);
  });
});

test('keys change under load without one error: agents escrow and confirm, readers open', async () => {
  const devices = await vault.computersOf(vault.tenant, 6);
  const keys = vaultKeys(service.system, openKeyProvider(service.keyProvider));
  let rotating = true;
  let changed = 0;
  let opened = 0;
  const agents = devices.map(async (device) => {
    do {
      await vault.computers.fallDue(vault.tenant.tenantId);
      if ((await vault.computers.change(device)) !== null) changed += 1;
    } while (rotating);
  });
  const readers = [0, 1].map(async () => {
    do {
      for (const { id } of await service.rows<{ id: Id }>('select id from laps_version where tenant_id = $1', [vault.tenant.tenantId])) {
        expect(await vault.computers.opened(keys, service.system, vault.tenant.mspId, id)).toBe(vault.computers.passwords.get(id));
        opened += 1;
      }
    } while (rotating);
  });
  const sweeps = [0, 1].map(async () => {
    const sweep = reseal(keys);
    do await sweep.step(service.system);
    while (rotating);
  });
  for (let i = 0; i < 8; i += 1) {
    expect(await vault.rotateKey()).toMatchObject({ __typename: 'VaultKey' });
    const before = changed;
    await eventually(() => expect(changed).toBeGreaterThan(before + 5));
  }
  rotating = false;
  await Promise.all([...agents, ...readers, ...sweeps]);
  expect(opened).toBeGreaterThan(20);
  await nothingBehind();
  const kept = await service.rows('select distinct vault_key_id from laps_version where tenant_id = $1', [vault.tenant.tenantId]);
  expect(kept).toEqual([{ vault_key_id: (await vault.shownKey())?.['id'] }]);
  await vault.everythingOpens();
});

test('rows moved to another account, version, tenant or key do not open', async () => {
  const second = await vault.world.tenant(vault.tenant);
  await vault.world.settings(second, { localEnabled: true });
  const [a = vault.administrator, b = vault.administrator] = await vault.computersOf(vault.tenant, 2);
  const [c = vault.administrator] = await vault.computersOf(second, 1);
  for (const device of [a, b, c]) await vault.computers.change(device);
  const keys = vaultKeys(service.system, openKeyProvider(service.keyProvider));
  const ids = [...vault.computers.passwords.keys()];
  const [first = '', other = '', foreign = ''] = ids;
  const opens = (id: Id) => vault.computers.opened(keys, service.system, vault.tenant.mspId, id);
  const moved = async (id: Id, sql: string, values: unknown[]) => {
    const [before] = await service.rows('select * from laps_version where id = $1', [id]);
    await service.rows(`${sql} returning 1`, values);
    await expect(opens(id)).rejects.toThrow();
    await service.rows(
      'update laps_version set tenant_id = $2, account_id = $3, vault_key_id = $4, enc = $5, ciphertext = $6, fence = $7, state = $8 where id = $1 returning 1',
      [
        id,
        before?.['tenant_id'],
        before?.['account_id'],
        before?.['vault_key_id'],
        before?.['enc'],
        before?.['ciphertext'],
        before?.['fence'],
        before?.['state'],
      ],
    );
    expect(await opens(id)).toBe(vault.computers.passwords.get(id));
  };
  const from = 'from laps_version o where v.id = $1 and o.id = $2';
  // Another computer's password shown as this one's, a password shown as another account's or tenant's, another key named.
  await moved(first, `update laps_version v set enc = o.enc, ciphertext = o.ciphertext ${from}`, [first, other]);
  await moved(first, `update laps_version v set account_id = o.account_id, fence = 99, state = 'FORMER' ${from}`, [first, other]);
  await moved(first, `update laps_version v set tenant_id = o.tenant_id, vault_key_id = o.vault_key_id ${from}`, [first, foreign]);
  await moved(foreign, `update laps_version v set enc = o.enc, ciphertext = o.ciphertext, vault_key_id = o.vault_key_id ${from}`, [
    foreign,
    first,
  ]);
  const [intact] = await service.rows('select wrapped_private_key, public_key from vault_key where tenant_id = $1', [second.tenantId]);
  // A key's private half in another tenant's row opens nothing there either.
  await service.rows(
    `update vault_key k set wrapped_private_key = o.wrapped_private_key, public_key = o.public_key from vault_key o
     where k.tenant_id = $1 and o.tenant_id = $2 returning 1`,
    [second.tenantId, vault.tenant.tenantId],
  );
  await expect(
    vault.computers.opened(vaultKeys(service.system, openKeyProvider(service.keyProvider)), service.system, vault.tenant.mspId, foreign),
  ).rejects.toThrow();
  await service.rows('update vault_key set wrapped_private_key = $2, public_key = $3 where tenant_id = $1 returning 1', [
    second.tenantId,
    intact?.['wrapped_private_key'],
    intact?.['public_key'],
  ]);
});
