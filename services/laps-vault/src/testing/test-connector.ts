import type { Payload } from '@stint/contracts';
import { lapsSealing, sealTo } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { eventually } from '@stint/testing';
import type { TestLapsVault } from './test-laps-vault.ts';

type Due = Payload<'entra-rotation-due'>;
type Answer = Payload<'entra-rotation-answered'>;

/** services/entra-connector as far as the vault sees it: the agent of one break-glass account in Entra. */
export class TestConnector {
  readonly accountId = newId();
  readonly #service: TestLapsVault;
  readonly #tenant: { mspId: Id; tenantId: Id };
  #version = 0;

  constructor(service: TestLapsVault, { mspId, tenantId }: { mspId: Id; tenantId: Id }) {
    this.#service = service;
    this.#tenant = { mspId, tenantId };
  }

  /** Tells of the account; what is left out is as when all is well. */
  async tell(change: Partial<Payload<'entra-break-glass-changed'>> = {}): Promise<void> {
    this.#version += 1;
    await this.#service.tell('entra-break-glass-changed', {
      ...{ ...this.#tenant, accountId: this.accountId, userPrincipalName: 'bg@contoso.example', registered: true, problem: null },
      ...{ versionId: null, tampered: false, version: this.#version },
      ...change,
    });
    await this.#service.settled();
  }

  get told(): Due[] {
    return this.#service.others.received('entra-rotation-due').filter(({ accountId }) => accountId === this.accountId);
  }

  /** Waits until the vault has asked for so many changes in all; answers the newest. */
  async due(count: number): Promise<Due> {
    return eventually(() => {
      const due = this.told[count - 1];
      if (due === undefined) throw new Error(`The vault has asked for ${this.told.length} changes.`);
      return due;
    });
  }

  /** Escrows a password, as if it were to be set; answers what the vault says. */
  async escrow(due: Due, password: string, versionId = newId()): Promise<Answer> {
    const { mspId, tenantId, accountId, fence, vaultKey } = due;
    const { info, aad } = lapsSealing.escrow;
    const place = { publicKey: vaultKey.publicKey, info, aad: aad(tenantId, accountId, versionId) };
    const sealed = await sealTo(place, Buffer.from(password));
    const before = this.#answers(versionId).length;
    await this.#service.tell('entra-rotation-escrowed', { mspId, tenantId, accountId, versionId, fence, keyId: vaultKey.id, ...sealed });
    return eventually(() => {
      const answer = this.#answers(versionId)[before];
      if (answer === undefined) throw new Error('The vault has not answered.');
      return answer;
    });
  }

  async confirm(versionId: Id): Promise<void> {
    await this.#service.tell('entra-rotation-confirmed', { ...this.#tenant, accountId: this.accountId, versionId });
    await this.#service.settled();
  }

  /** One whole change. */
  async rotate(due: Due, password: string): Promise<Id> {
    const { versionId, taken } = await this.escrow(due, password);
    if (!taken) throw new Error('The vault did not take it.');
    await this.confirm(versionId);
    return versionId;
  }

  #answers(versionId: Id): Answer[] {
    return this.#service.others.received('entra-rotation-answered').filter((answer) => answer.versionId === versionId);
  }
}
