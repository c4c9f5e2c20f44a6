import { type Actor, type Payload } from '@stint/contracts';
import { lapsSealing, sealTo } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import type { TestLapsVault } from './test-laps-vault.ts';
import type { Thing, World } from './world.ts';

interface DesiredAccount {
  id: Id;
  rotate: boolean;
  fence: number;
}
interface State {
  accounts: DesiredAccount[] | null;
  vaultKey: { id: Id; publicKey: string } | null;
}

/** An agent as far as the vault sees it. */
export class TestAgent {
  readonly actor: Actor;
  readonly #service: TestLapsVault;
  readonly #world: World;

  constructor(service: TestLapsVault, world: World, computer: Payload<'device-changed'>) {
    this.#service = service;
    this.#world = world;
    this.actor = world.actorOf(computer);
  }

  /** Escrows a password for the device's only account, as if it were to be set. */
  async escrow(password: string): Promise<{ accountId: Id; versionId: Id }> {
    const query = `query ($id: ID!) { _entities(representations: [{ __typename: "Device", id: $id }]) { ... on Device { lapsState { accounts { id rotate fence } vaultKey { id publicKey } } } } }`;
    const { data } = await this.#service.send(this.actor, query, { id: this.actor.id });
    const state = (data?.['_entities'] as { lapsState: State }[])[0]?.lapsState;
    const [account] = state?.accounts ?? [];
    if (account === undefined || state?.vaultKey == null) throw new Error(`Nothing to rotate: ${JSON.stringify(data)}`);
    const versionId = newId();
    const { info, aad } = lapsSealing.escrow;
    const place = aad(this.actor.tenantId, account.id, versionId);
    const sealed = await sealTo({ publicKey: state.vaultKey.publicKey, info, aad: place }, Buffer.from(password));
    const input = { accountId: account.id, versionId, fence: account.fence, keyId: state.vaultKey.id, ...sealed };
    const answer = await this.#world.mutate(this.actor, 'escrowLapsPassword', '', input);
    if (answer.__typename !== 'LapsEscrowed') throw new Error(JSON.stringify(answer));
    return { accountId: account.id, versionId };
  }

  async confirm(accountId: Id, versionId: Id): Promise<Thing> {
    return this.#world.mutate(this.actor, 'confirmLapsPassword', '', { accountId, versionId });
  }

  /** One whole rotation. */
  async rotate(password: string): Promise<{ accountId: Id; versionId: Id }> {
    const { accountId, versionId } = await this.escrow(password);
    await this.confirm(accountId, versionId);
    return { accountId, versionId };
  }

  /** Tells of an incident: the next rotation is due at once. */
  async tampered(accountId: Id): Promise<void> {
    await this.#world.mutate(this.actor, 'reportLapsAccount', '', { accountId, incident: 'TAMPERED' });
  }
}
