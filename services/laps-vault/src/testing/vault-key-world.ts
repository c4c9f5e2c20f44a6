import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Actor, Payload } from '@stint/contracts';
import { openKeyProvider, type KeyProvider } from '@stint/crypto';
import { PasswordWorld, vaultKeys } from './password-world.ts';
import type { TestLapsVault } from './test-laps-vault.ts';
import { World, type Thing } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-root-keys-'));

/** A root key that nobody has had before, as `KEY_PROVIDER` names it. */
export function newRootKey(): string {
  const file = join(folder, randomBytes(4).toString('hex'));
  writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return `file:${file}`;
}

/** A tenant with its administrator and computers, and what the API and the rows say of its vault keys. */
export class VaultKeyWorld {
  readonly computers: PasswordWorld;
  readonly #service: TestLapsVault;
  readonly world: World;
  readonly tenant: Payload<'tenant-changed'>;
  readonly administrator: Actor;

  private constructor(service: TestLapsVault, world: World, tenant: Payload<'tenant-changed'>, administrator: Actor) {
    this.#service = service;
    this.world = world;
    this.computers = new PasswordWorld(service, world);
    this.tenant = tenant;
    this.administrator = administrator;
  }

  static async in(service: TestLapsVault): Promise<VaultKeyWorld> {
    const world = new World(service);
    const tenant = await world.tenant(null);
    const administrator = await world.technician(tenant, 'ADMINISTRATOR');
    await world.settings(tenant, { localEnabled: true });
    await service.settled();
    return new VaultKeyWorld(service, world, tenant, administrator);
  }

  rotateKey(who = this.administrator, tenantId = this.tenant.tenantId): Promise<Thing> {
    return this.world.mutate(who, 'rotateVaultKey', '... on VaultKey { id publicKey behind }', { tenantId });
  }

  async shownKey(who = this.administrator): Promise<Thing | null> {
    const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Tenant", id: $id }]) { ... on Tenant { vaultKey { __typename id publicKey behind } } } }`;
    const { data, errors } = await this.#service.send(who, query, { id: this.tenant.tenantId });
    if (errors !== undefined) throw Object.assign(new Error(JSON.stringify(errors)), { code: errors[0]?.extensions.code });
    return (data?.['_entities'] as { vaultKey: Thing | null }[])[0]?.vaultKey ?? null;
  }

  async computersOf(tenant: Payload<'tenant-changed'>, count: number): Promise<Actor[]> {
    const devices = [];
    for (let i = 0; i < count; i += 1) devices.push(await this.computers.computer(tenant));
    await this.#service.settled();
    return devices;
  }

  /** Computers whose password was changed once. */
  async changedComputers(count: number): Promise<Actor[]> {
    const devices = await this.computersOf(this.tenant, count);
    for (const device of devices) await this.computers.change(device);
    return devices;
  }

  rows(table: string): Promise<Record<string, unknown>[]> {
    return this.#service.rows(`select * from ${table} where tenant_id = $1 order by id`, [this.tenant.tenantId]);
  }

  /** Throws unless every password that was ever escrowed opens, and is the right one. */
  async everythingOpens(provider: KeyProvider = openKeyProvider(this.#service.keyProvider)): Promise<void> {
    const keys = vaultKeys(this.#service.system, provider);
    try {
      for (const [versionId, password] of this.computers.passwords) {
        const opened = await this.computers.opened(keys, this.#service.system, this.tenant.mspId, versionId);
        if (opened !== password) throw new Error(`Version ${versionId} is ${opened}.`);
      }
    } finally {
      keys.onApplicationShutdown();
    }
  }
}
