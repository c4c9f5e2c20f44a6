import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor, Payload } from '@stint/contracts';
import { openKeyProvider, type KeyProvider } from '@stint/crypto';
import type { Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import type { Tenancy } from '@stint/tenancy';
import { PasswordWorld, vaultKeys } from '../testing/password-world.ts';
import { TestLapsVault } from '../testing/test-laps-vault.ts';
import { World, type Thing } from '../testing/world.ts';
import { ResealRepository } from './reseal.repository.ts';
import { ResealSweep } from './reseal.sweep.ts';
import { RetiredKeySweep } from './retired-key.sweep.ts';
import { RewrapSweep } from './rewrap.sweep.ts';
import { VaultKeyRepository } from './vault-key.repository.ts';

let service: TestLapsVault;
let world: World;
let computers: PasswordWorld;
let tenant: Payload<'tenant-changed'>;
let administrator: Actor;
const silent = { error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), 'stint-root-keys-'));

beforeAll(async () => {
  service = await TestLapsVault.start();
  world = new World(service);
});
beforeEach(async () => {
  computers = new PasswordWorld(service, world);
  tenant = await world.tenant(null);
  administrator = await world.technician(tenant, 'ADMINISTRATOR');
  await world.settings(tenant, { localEnabled: true });
  await service.settled();
});
afterAll(() => service.close());

const rotateKey = (who = administrator, tenantId = tenant.tenantId): Promise<Thing> =>
  world.mutate(who, 'rotateVaultKey', '... on VaultKey { id publicKey behind }', { tenantId });
const shownKey = async (who = administrator, tenantId = tenant.tenantId): Promise<Thing | null> => {
  const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant { vaultKey { __typename id publicKey behind } } } }`;
  const { data, errors } = await service.send(who, query, { id: tenantId });
  if (errors !== undefined) throw Object.assign(new Error(JSON.stringify(errors)), { code: errors[0]?.extensions.code });
  return (data?.['_entities'] as { vaultKey: Thing | null }[])[0]?.vaultKey ?? null;
};
const computersOf = async (of: Payload<'tenant-changed'>, count: number): Promise<Actor[]> => {
  const devices = [];
  for (let i = 0; i < count; i += 1) devices.push(await computers.computer(of));
  await service.settled();
  return devices;
};
const rowsOf = (table: string) => service.rows(`select * from ${table} where tenant_id = $1 order by id`, [tenant.tenantId]);
const reseal = (keys: ReturnType<typeof vaultKeys>, log: { error(fields: object): void } = silent) =>
  new ResealSweep(new ResealRepository(), new VaultKeyRepository(), keys, log);
const newRootKey = () => {
  const file = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return `file:${file}`;
};
/** Every password that was ever escrowed opens, and is the right one. */
const everythingOpens = async (provider = openKeyProvider(service.keyProvider)) => {
  const keys = vaultKeys(service.system, provider);
  for (const [versionId, password] of computers.passwords)
    expect(await computers.opened(keys, service.system, tenant.mspId, versionId)).toBe(password);
  keys.onApplicationShutdown();
};
const nothingBehind = async () => {
  const sweep = reseal(vaultKeys(service.system, openKeyProvider(service.keyProvider)));
  while ((await sweep.step(service.system)) > 0);
  expect(await shownKey()).toMatchObject({ behind: 0 });
};

describe('a new vault key', () => {
  test('takes the place of the old one; passwords move to it, and the old private half is destroyed', async () => {
    expect(await shownKey()).toBeNull();
    const devices = await computersOf(tenant, 3);
    for (const device of devices) await computers.change(device);
    const old = await shownKey();
    expect(old).toMatchObject({ behind: 0 });
    const made = await rotateKey();
    expect(made).toMatchObject({ __typename: 'VaultKey' });
    expect(made['publicKey']).not.toBe(old?.['publicKey']);
    await service.audited('vault-key.rotated', String(made['id']));
    // By the running service, unasked.
    await eventually(async () => expect(await shownKey()).toMatchObject({ id: made['id'], behind: 0 }));
    await everythingOpens();
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
        tenant.tenantId,
      ]),
    ).toEqual([
      { wrapped_private_key: null, used: false },
      { wrapped_private_key: expect.any(Buffer), used: true },
    ]);
    await service.audited('vault-key.destroyed', String(old?.['id']));
    await everythingOpens();
  });

  test('takes a password that was sealed to the old one for a day, and moves it', async () => {
    const [device = administrator, late = administrator] = await computersOf(tenant, 2);
    const [due, dueLate] = [await computers.due(device), await computers.due(late)];
    if (due === null || dueLate === null) throw new Error('Nothing is due.');
    await rotateKey();
    service.clock.advance(86_000);
    const { versionId, input, answer } = await computers.escrow(device, due);
    expect(answer).toBe('LapsEscrowed');
    await nothingBehind();
    // The answer was lost, and meanwhile the password was sealed anew: still the same call.
    expect(await computers.send(device, input)).toBe('LapsEscrowed');
    expect(await computers.confirm(device, due.accountId, versionId)).toBe('LapsConfirmed');
    await everythingOpens();
    service.clock.advance(400);
    expect((await computers.escrow(late, dueLate)).answer).toBe('StaleFence');
  });

  test('is for those who may manage LAPS there; a foreign tenant is not found', async () => {
    const helpdesk = await world.technician(tenant, 'HELPDESK');
    const elsewhere = await world.tenant(null);
    const stranger = await world.technician(elsewhere, 'ADMINISTRATOR');
    await service.settled();
    await expect(rotateKey(helpdesk)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await rotateKey(stranger)).toMatchObject({ __typename: 'NotFound' });
    expect(await rotateKey(administrator, 'x')).toMatchObject({ __typename: 'NotFound' });
    await expect(shownKey(stranger)).rejects.toThrow();
    expect(await rowsOf('vault_key')).toEqual([]);
  });

  test('is made once where several are asked for at once', async () => {
    await rotateKey();
    const answers = await Promise.all(Array.from({ length: 8 }, () => rotateKey()));
    const made = answers.filter((one) => one.__typename === 'VaultKey');
    expect(made.length).toBeGreaterThan(0);
    expect(answers.filter((one) => one.__typename !== 'VaultKey').map((one) => one.__typename)).toEqual(
      Array.from({ length: 8 - made.length }, () => 'Conflict'),
    );
    const inUse = await service.rows('select id from vault_key where tenant_id = $1 and retired_at is null', [tenant.tenantId]);
    expect(inUse).toHaveLength(1);
    expect(await rowsOf('vault_key')).toHaveLength(1 + made.length);
  });
});

test('keys change under load without one error: agents escrow and confirm, readers open', async () => {
  const devices = await computersOf(tenant, 6);
  const keys = vaultKeys(service.system, openKeyProvider(service.keyProvider));
  let rotating = true;
  let changed = 0;
  let opened = 0;
  const agents = devices.map(async (device) => {
    do {
      await computers.fallDue(tenant.tenantId);
      if ((await computers.change(device)) !== null) changed += 1;
    } while (rotating);
  });
  const readers = [0, 1].map(async () => {
    do {
      for (const { id } of await service.rows<{ id: Id }>('select id from laps_version where tenant_id = $1', [tenant.tenantId])) {
        expect(await computers.opened(keys, service.system, tenant.mspId, id)).toBe(computers.passwords.get(id));
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
    expect(await rotateKey()).toMatchObject({ __typename: 'VaultKey' });
    const before = changed;
    await eventually(() => expect(changed).toBeGreaterThan(before + 5));
  }
  rotating = false;
  await Promise.all([...agents, ...readers, ...sweeps]);
  expect(opened).toBeGreaterThan(20);
  await nothingBehind();
  const kept = await service.rows('select distinct vault_key_id from laps_version where tenant_id = $1', [tenant.tenantId]);
  expect(kept).toEqual([{ vault_key_id: (await shownKey())?.['id'] }]);
  await everythingOpens();
});

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
    // The running service would help: the sweep under test is to do it alone.
    await service.restart({ KEY_PROVIDER: service.keyProvider, PORT: '0' });
    const devices = await computersOf(tenant, 2);
    for (const device of devices) await computers.change(device);
    const ids = (await rowsOf('laps_version')).map((row) => row['id']);
    const provider = openKeyProvider(service.keyProvider);
    const deaths: number[] = [];
    for (let at = 1; at <= 8; at += 1) {
      await rotateKey();
      const sweep = reseal(vaultKeys(service.system, provider));
      await sweep.step(crashing(service.system, at)).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        deaths.push(at);
      });
      expect((await rowsOf('laps_version')).map((row) => row['id'])).toEqual(ids);
      await everythingOpens(provider);
    }
    expect(deaths).toEqual([1, 2, 3, 4, 5, 6]);
    const sweep = reseal(vaultKeys(service.system, provider));
    while ((await sweep.step(service.system)) > 0);
    expect(await shownKey()).toMatchObject({ behind: 0 });
    expect((await rowsOf('laps_version')).map((row) => row['id'])).toEqual(ids);
    await everythingOpens(provider);
  });

  test('holds no transaction while the key provider is asked, and does nothing while it is away', async () => {
    const [device = administrator] = await computersOf(tenant, 1);
    await computers.change(device);
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
    await vaultKeys(watched, provider).rotate(administrator, tenant.tenantId);
    const before = await rowsOf('laps_version');
    away = true;
    // Unless the service's own sweep was first.
    await reseal(vaultKeys(watched, provider))
      .step(watched)
      .catch((error: unknown) => expect(String((error as Error).cause)).toContain('is away'));
    if ((await shownKey())?.['behind'] === 1) expect(await rowsOf('laps_version')).toEqual(before);
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
    await everythingOpens();
  });

  test('passes by what does not open, says so once, and keeps its key', async () => {
    const devices = await computersOf(tenant, 3);
    for (const device of devices) await computers.change(device);
    const [broken] = await rowsOf('laps_version');
    await service.rows('update laps_version set ciphertext = $2 where id = $1 returning 1', [broken?.['id'], randomBytes(40)]);
    computers.passwords.delete(String(broken?.['id']));
    const old = (await shownKey())?.['id'];
    await rotateKey();
    const said: object[] = [];
    const sweep = reseal(vaultKeys(service.system, openKeyProvider(service.keyProvider)), { error: (fields) => said.push(fields) });
    for (let round = 0; round < 3; round += 1) while ((await sweep.step(service.system)) > 0);
    expect(said).toEqual([{ versionId: broken?.['id'], vaultKeyId: old }]);
    expect(await shownKey()).toMatchObject({ behind: 1 });
    const later = new Date(service.clock.now().getTime() + 10 * 86_400_000);
    const destroy = new RetiredKeySweep(new VaultKeyRepository());
    for (const now of [later, new Date(later.getTime() + 86_400_000)]) await service.system.asSystem((tx) => destroy.run(tx, now));
    expect(await service.rows('select 1 from vault_key where id = $1 and destroyed_at is null', [old])).toHaveLength(1);
    await everythingOpens();
  });
});

test('rows moved to another account, version, tenant or key do not open', async () => {
  const second = await world.tenant(tenant);
  await world.settings(second, { localEnabled: true });
  const [a = administrator, b = administrator] = await computersOf(tenant, 2);
  const [c = administrator] = await computersOf(second, 1);
  for (const device of [a, b, c]) await computers.change(device);
  const keys = vaultKeys(service.system, openKeyProvider(service.keyProvider));
  const ids = [...computers.passwords.keys()];
  const [first = '', other = '', foreign = ''] = ids;
  const opens = (id: Id) => computers.opened(keys, service.system, tenant.mspId, id);
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
    expect(await opens(id)).toBe(computers.passwords.get(id));
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
    [second.tenantId, tenant.tenantId],
  );
  await expect(
    computers.opened(vaultKeys(service.system, openKeyProvider(service.keyProvider)), service.system, tenant.mspId, foreign),
  ).rejects.toThrow();
  await service.rows('update vault_key set wrapped_private_key = $2, public_key = $3 where tenant_id = $1 returning 1', [
    second.tenantId,
    intact?.['wrapped_private_key'],
    intact?.['public_key'],
  ]);
});

describe('a new root key', () => {
  test('wraps every vault key in the background; then the old one can be taken away, and everything opens', async () => {
    const devices = await computersOf(tenant, 2);
    for (const device of devices) await computers.change(device);
    await rotateKey();
    const [old, next] = [service.keyProvider, newRootKey()];
    const underOld = () =>
      service.rows('select 1 from vault_key where destroyed_at is null and root_key_id <> $1', [openKeyProvider(next).rootKeyId]);
    expect((await underOld()).length).toBeGreaterThan(1);
    await service.restart({ KEY_PROVIDER: `${next},${old}` });
    await everythingOpens(openKeyProvider(`${next},${old}`));
    await eventually(async () => expect(await underOld()).toEqual([]));
    await service.restart({ KEY_PROVIDER: next });
    await everythingOpens(openKeyProvider(next));
    await expect(everythingOpens(openKeyProvider(old))).rejects.toThrow('another root key');
    for (const device of devices) {
      await computers.fallDue(tenant.tenantId);
      await computers.change(device);
    }
    await everythingOpens();
  });

  test('that is missing is told, with how much hangs on it; nothing is changed', async () => {
    await rotateKey();
    const before = await rowsOf('vault_key');
    const provider = openKeyProvider(newRootKey());
    const said: object[] = [];
    const sweep = new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, provider), provider, {
      error: (fields) => said.push(fields),
    });
    for (let round = 0; round < 2; round += 1) expect(await sweep.step(service.system)).toBe(0);
    expect(said).toEqual([{ rootKeyId: openKeyProvider(service.keyProvider).rootKeyId, vaultKeys: expect.any(Number) }]);
    expect(await rowsOf('vault_key')).toEqual(before);
  });

  test('passes by a vault key that it cannot wrap', async () => {
    await rotateKey();
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
    await sweep.step(service.system);
    const left = await service.rows('select id from vault_key where destroyed_at is null and root_key_id <> $1', [provider.rootKeyId]);
    expect(left).toEqual([{ id: first?.['id'] }]);
    await set(first?.['wrapped_private_key']);
    const back = openKeyProvider(`${old},${next}`);
    await new RewrapSweep(new VaultKeyRepository(), vaultKeys(service.system, back), back, silent).step(service.system);
  });

  test('survives a death at every point', async () => {
    const [device = administrator] = await computersOf(tenant, 1);
    await computers.change(device);
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
      await everythingOpens(real);
    }
  });
});
