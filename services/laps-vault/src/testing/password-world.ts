import { type Actor, type Payload } from '@stint/contracts';
import { type KeyProvider, lapsSealing, sealTo } from '@stint/crypto';
import { newId, systemClock, type Id } from '@stint/kernel';
import { type Tenancy } from '@stint/tenancy';
import { VersionRepository, type KeptVersion } from '../account/version.repository.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { VaultKeyRepository } from '../vault-key/vault-key.repository.ts';
import { VaultKeyService } from '../vault-key/vault-key.service.ts';
import type { TestLapsVault } from './test-laps-vault.ts';
import type { World } from './world.ts';

interface Sealing {
  accountId: Id;
  fence: number;
  key: { id: Id; publicKey: string };
}

interface Told {
  id: Id;
  fence: number;
  rotate: boolean;
  currentVersionId: Id | null;
}

/** The vault's keys on a database, with a key provider and a view of the transactions that the test chooses. */
export function vaultKeys(tenancy: Tenancy, provider: KeyProvider): VaultKeyService {
  const directory = new DirectoryService(tenancy, new DirectoryRepository(), systemClock);
  return new VaultKeyService(tenancy, directory, new VaultKeyRepository(), systemClock, provider);
}

/** Computers whose agents escrow and confirm passwords through the API, and what opens of them in the end. */
export class PasswordWorld {
  /** What each version's password is. */
  readonly passwords = new Map<Id, string>();
  readonly #service: TestLapsVault;
  readonly #world: World;

  constructor(service: TestLapsVault, world: World) {
    this.#service = service;
    this.#world = world;
  }

  /** A computer of the tenant that has one account. */
  async computer(tenant: Payload<'tenant-changed'>): Promise<Actor> {
    return this.#world.actorOf(await this.#world.device(tenant));
  }

  /** What the vault tells a computer of its account. */
  async told(device: Actor): Promise<Told & { key: Sealing['key'] | null }> {
    const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Device", id: $id }]) { ... on Device { lapsState {
      vaultKey { id publicKey } accounts { id fence rotate currentVersionId } } } } }`;
    const { data, errors } = await this.#service.send(device, query, { id: device.id });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    const [{ lapsState }] = data?.['_entities'] as [{ lapsState: { vaultKey: Sealing['key'] | null; accounts: Told[] } }];
    const [account] = lapsState.accounts;
    if (account === undefined) throw new Error('The computer has no account.');
    return { ...account, key: lapsState.vaultKey };
  }

  /** The account whose password is to be changed now, and the key to seal it to; null while nothing is due. */
  async due(device: Actor): Promise<Sealing | null> {
    const { id: accountId, fence, rotate, key } = await this.told(device);
    return rotate && key !== null ? { accountId, fence, key } : null;
  }

  /** Escrows a new password; answers its version and how the vault took it. */
  async escrow(
    device: Actor,
    { accountId, fence, key }: Sealing,
    versionId = newId(),
  ): Promise<{ versionId: Id; input: object; answer: string }> {
    const password = `password ${versionId}`;
    const { escrow } = lapsSealing;
    const aad = escrow.aad(device.tenantId, accountId, versionId);
    const sealed = await sealTo({ publicKey: key.publicKey, info: escrow.info, aad }, Buffer.from(password));
    const input = { accountId, versionId, fence, keyId: key.id, ...sealed };
    this.passwords.set(versionId, password);
    return { versionId, input, answer: await this.send(device, input) };
  }

  /** The same call (again). */
  async send(device: Actor, input: object): Promise<string> {
    return (await this.#world.mutate(device, 'escrowLapsPassword', '', input)).__typename;
  }

  async confirm(device: Actor, accountId: Id, versionId: Id): Promise<string> {
    return (await this.#world.mutate(device, 'confirmLapsPassword', '', { accountId, versionId })).__typename;
  }

  /** Escrows and confirms a new password of the computer; null while none is due. */
  async change(device: Actor): Promise<{ accountId: Id; versionId: Id } | null> {
    const due = await this.due(device);
    if (due === null) return null;
    const { versionId, answer } = await this.escrow(device, due);
    if (answer !== 'LapsEscrowed') throw new Error(`The escrow was answered by ${answer}.`);
    const confirmed = await this.confirm(device, due.accountId, versionId);
    if (confirmed !== 'LapsConfirmed') throw new Error(`The confirmation was answered by ${confirmed}.`);
    return { accountId: due.accountId, versionId };
  }

  /** Has every password of a tenant's accounts fall due. */
  async fallDue(tenantId: Id): Promise<void> {
    await this.#service.rows('update laps_account set rotate_at = $2 where tenant_id = $1 returning 1', [
      tenantId,
      this.#service.clock.now(),
    ]);
  }

  /** Opens a kept version with the vault's keys, as a reveal does: rows in one transaction, the key provider after it. */
  async opened(keys: VaultKeyService, tenancy: Tenancy, mspId: Id, versionId: Id): Promise<string> {
    const { version, key } = await tenancy.asSystem(async (tx) => {
      const found = await new VersionRepository().find(tx, mspId, versionId);
      if (found === null) throw new Error(`No version ${versionId}.`);
      return { version: found, key: await new VaultKeyRepository().find(tx, mspId, found.vaultKeyId) };
    });
    if (key === null) throw new Error(`No key ${version.vaultKeyId}.`);
    return (await keys.open(key, keptAs(version))).toString();
  }
}

/** A row as `VaultKeyService.open` takes it. */
export function keptAs({ tenantId, accountId, id, enc, ciphertext }: KeptVersion) {
  return { tenantId, accountId, versionId: id, sealed: { enc: enc.toString('base64url'), ciphertext: ciphertext.toString('base64url') } };
}
