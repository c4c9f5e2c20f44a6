import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openKeyProvider, type KeyProvider } from '@stint/crypto';
import { eventually } from '@stint/testing';
import type { Tenancy } from '@stint/tenancy';
import { vaultKeys } from '../testing/password-world.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { newRootKey, VaultKeyWorld } from '../testing/vault-key-world.ts';
import { ResealRepository } from './reseal.repository.ts';
import { ResealSweep } from './reseal.sweep.ts';
import { RetiredKeySweep } from './retired-key.sweep.ts';
import { RewrapSweep } from './rewrap.sweep.ts';
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

describe('sealing anew', () => {
  /** A database that dies at the n-th thing that is done with it: before a transaction, in it before its commit, or after its commit. */
  class Crash extends Error {}
  const crashing = (tenancy: Tenancy, at: number): Tenancy => {
    let step = 0;
    const maybe = () => {
      step += 1;
      if (step === at) throw new Crash();
    };
    const asSystem: Tenancy['asSystem'] = async (work) => {
      maybe();
      const result = await tenancy.asSystem(async (tx) => {
        const done = await work(tx);
        maybe();
        return done;
      });
      maybe();
      return result;
    };
    return { asSystem } as Pick<Tenancy, 'asSystem'> as Tenancy;
  };

  test('survives a death at every point: nothing is lost, nothing doubled, all is readable all the time', async () => {
    await vault.changedComputers(2);
    const ids = (await vault.rows('laps_version')).map((row) => row['id']);
    const provider = openKeyProvider(service.keyProvider);
    for (let at = 1; at <= 6; at += 1) {
      // The running service sweeps too: where it was first, there was nothing to die over.
      await eventually(async () => {
        await vault.rotateKey();
        const sweep = reseal(vaultKeys(service.system, provider));
        await expect(sweep.step(crashing(service.system, at))).rejects.toThrow(Crash);
      });
      expect((await vault.rows('laps_version')).map((row) => row['id'])).toEqual(ids);
      await vault.everythingOpens(provider);
    }
    const sweep = reseal(vaultKeys(service.system, provider));
    while ((await sweep.step(service.system)) > 0);
    expect(await vault.shownKey()).toMatchObject({ behind: 0 });
    expect((await vault.rows('laps_version')).map((row) => row['id'])).toEqual(ids);
    await vault.everythingOpens(provider);
  });

  test('holds no transaction while the key provider is asked, and does nothing while it is away', async () => {
    const [device = vault.administrator] = await vault.computersOf(vault.tenant, 1);
    await vault.computers.change(device);
    let open = 0;
    const seen: number[] = [];
    const during = <T>(work: Promise<T>) => {
      open += 1;
      return work.finally(() => (open -= 1));
    };
    const watched = {
      asSystem: (work) => during(service.system.asSystem(work)),
      inTenant: (actor, tenantId, work) => during(service.system.inTenant(actor, tenantId, work)),
    } as Pick<Tenancy, 'asSystem' | 'inTenant'> as Tenancy;
    const real = openKeyProvider(service.keyProvider);
    let away = false;
    const ask = <T>(call: () => Promise<T>) => {
      seen.push(open);
      return away ? Promise.reject(new Error('The key provider is away.')) : call();
    };
    const provider: KeyProvider = { ...real, wrap: (...a) => ask(() => real.wrap(...a)), unwrap: (...a) => ask(() => real.unwrap(...a)) };
    await vaultKeys(watched, provider).rotate(vault.administrator, vault.tenant.tenantId);
    const before = await vault.rows('laps_version');
    away = true;
    // Unless the service's own sweep was first.
    await reseal(vaultKeys(watched, provider))
      .step(watched)
      .catch((error: unknown) => expect(String((error as Error).cause)).toContain('is away'));
    if ((await vault.shownKey())?.['behind'] === 1) expect(await vault.rows('laps_version')).toEqual(before);
    away = false;
    const sweep = reseal(vaultKeys(watched, provider));
    while ((await sweep.step(watched)) > 0);
    // To a new root key and back: the running service does not know it.
    const [old, next] = [service.keyProvider, newRootKey()];
    for (const text of [`${next},${old}`, `${old},${next}`]) {
      const other = openKeyProvider(text);
      const asked = {
        ...other,
        wrap: (...a: [Buffer, string]) => ask(() => other.wrap(...a)),
        unwrap: (...a: [Buffer, string]) => ask(() => other.unwrap(...a)),
      };
      const rewrap = new RewrapSweep(new VaultKeyRepository(), vaultKeys(watched, asked), asked, silent);
      await rewrap.step(watched);
    }
    expect(seen.length).toBeGreaterThan(6);
    expect(new Set(seen)).toEqual(new Set([0]));
    await vault.everythingOpens();
  });

  test('passes by what does not open, says so once, and keeps its key', async () => {
    await vault.changedComputers(3);
    const [broken] = await vault.rows('laps_version');
    await service.rows('update laps_version set ciphertext = $2 where id = $1 returning 1', [broken?.['id'], randomBytes(40)]);
    vault.computers.passwords.delete(String(broken?.['id']));
    const old = (await vault.shownKey())?.['id'];
    await vault.rotateKey();
    const said: object[] = [];
    const sweep = reseal(vaultKeys(service.system, openKeyProvider(service.keyProvider)), { error: (fields) => said.push(fields) });
    for (let round = 0; round < 3; round += 1) while ((await sweep.step(service.system)) > 0);
    expect(said).toEqual([{ versionId: broken?.['id'], vaultKeyId: old }]);
    expect(await vault.shownKey()).toMatchObject({ behind: 1 });
    const later = new Date(service.clock.now().getTime() + 10 * 86_400_000);
    const destroy = new RetiredKeySweep(new VaultKeyRepository());
    for (const now of [later, new Date(later.getTime() + 86_400_000)]) await service.system.asSystem((tx) => destroy.run(tx, now));
    expect(await service.rows('select 1 from vault_key where id = $1 and destroyed_at is null', [old])).toHaveLength(1);
    await vault.everythingOpens();
  });
});

describe('a new root key', () => {
  test('wraps every vault key in the background; then the old one can be taken away, and everything opens', async () => {
    const devices = await vault.changedComputers(2);
    await vault.rotateKey();
    const [old, next] = [service.keyProvider, newRootKey()];
    const underOld = () =>
      service.rows('select 1 from vault_key where destroyed_at is null and root_key_id <> $1', [openKeyProvider(next).rootKeyId]);
    expect((await underOld()).length).toBeGreaterThan(1);
    await service.restart({ KEY_PROVIDER: `${next},${old}` });
    await vault.everythingOpens(openKeyProvider(`${next},${old}`));
    await eventually(async () => expect(await underOld()).toEqual([]));
    await service.restart({ KEY_PROVIDER: next });
    await vault.everythingOpens(openKeyProvider(next));
    await expect(vault.everythingOpens(openKeyProvider(old))).rejects.toThrow('another root key');
    for (const device of devices) {
      await vault.computers.fallDue(vault.tenant.tenantId);
      await vault.computers.change(device);
    }
    await vault.everythingOpens();
  });

  test('that is missing is told, with how much hangs on it; nothing is changed', async () => {
    await vault.rotateKey();
    const before = await vault.rows('vault_key');
    const provider = openKeyProvider(newRootKey());
    const said: object[] = [];
    const sweep = new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, provider), provider, {
      error: (fields) => said.push(fields),
    });
    for (let round = 0; round < 2; round += 1) expect(await sweep.step(service.system)).toBe(0);
    expect(said).toEqual([{ rootKeyId: openKeyProvider(service.keyProvider).rootKeyId, vaultKeys: expect.any(Number) }]);
    expect(await vault.rows('vault_key')).toEqual(before);
  });

  test('passes by a vault key that it cannot wrap', async () => {
    await vault.rotateKey();
    const [old, next] = [service.keyProvider, newRootKey()];
    const [first] = await service.rows(
      'select id, wrapped_private_key from vault_key where destroyed_at is null order by msp_id, id limit 1',
    );
    const set = (wrapped: unknown) =>
      service.rows('update vault_key set wrapped_private_key = $2 where id = $1 returning 1', [first?.['id'], wrapped]);
    await set(Buffer.from('broken'));
    const provider = openKeyProvider(`${next},${old}`);
    const sweep = new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, provider), provider, silent);
    await expect(sweep.step(service.system)).rejects.toThrow(String(first?.['id']));
    while ((await sweep.step(service.system)) > 0);
    const left = await service.rows('select id from vault_key where destroyed_at is null and root_key_id <> $1', [provider.rootKeyId]);
    expect(left).toEqual([{ id: first?.['id'] }]);
    await set(first?.['wrapped_private_key']);
    const back = openKeyProvider(`${old},${next}`);
    await new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, back), back, silent).step(service.system);
  });

  test('survives a death at every point', async () => {
    const [device = vault.administrator] = await vault.computersOf(vault.tenant, 1);
    await vault.computers.change(device);
    const old = service.keyProvider;
    for (let at = 0; at < 3; at += 1) {
      const next = newRootKey();
      const real = openKeyProvider(`${next},${old}`);
      let calls = 0;
      const dying: KeyProvider = {
        ...real,
        wrap: (...args) => (at === calls++ ? Promise.reject(new Error('died')) : real.wrap(...args)),
        unwrap: (...args) => (at === calls++ ? Promise.reject(new Error('died')) : real.unwrap(...args)),
      };
      const sweep = new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, dying), dying, silent);
      await expect(sweep.step(service.system)).rejects.toMatchObject({ cause: { message: 'died' } });
      await vault.everythingOpens(real);
    }
  });
});
