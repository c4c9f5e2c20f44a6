import type { LapsPolicy, MessageType, Payload } from '@stint/contracts';
import { generateHpkeKeyPair, lapsSealing, openSealed, type HpkeKeyPair } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';

interface Version {
  id: Id;
  fence: number;
  state: 'PENDING' | 'CANDIDATE' | 'CURRENT' | 'FORMER';
  password: string;
}

/** How passwords are made where nothing is set. */
export const usualPolicy: LapsPolicy = { style: 'CHARACTERS', length: 24, words: 6, unambiguous: true, symbols: true };

/** A vault of the tests' own with one account, in this process: takes, refuses and tells what services/laps-vault does. */
export class BreakGlassVault {
  readonly versions: Version[] = [];
  readonly told: Payload<'entra-break-glass-changed'>[] = [];
  policy = usualPolicy;
  fence = 0;
  /** How much is to be done: asked for, or without a first password. */
  #asked = 1;
  #done = 0;
  #isTold = false;
  readonly #key = { id: newId(), pair: null as HpkeKeyPair | null };

  constructor(
    readonly mspId: Id,
    readonly tenantId: Id,
    readonly accountId: Id,
  ) {}

  get isDue(): boolean {
    return this.#done < this.#asked;
  }

  get current(): Version | undefined {
    return this.versions.find(({ state }) => state === 'CURRENT');
  }

  /** What a reader is shown, most likely first. */
  get shown(): string[] {
    const certain = this.versions.filter(({ state }) => state === 'CURRENT');
    const perhaps = this.versions.filter(({ state }) => state === 'PENDING' || state === 'CANDIDATE').reverse();
    return [...certain, ...perhaps].map(({ password }) => password);
  }

  askForChange(): void {
    this.#asked += 1;
  }

  /** Tells of the change that is due, if it was not told since the last one. */
  async due(again = false): Promise<Payload<'entra-rotation-due'> | null> {
    if (!this.isDue || (this.#isTold && !again)) return null;
    this.#isTold = true;
    this.#key.pair ??= await generateHpkeKeyPair();
    const { mspId, tenantId, accountId, fence, policy } = this;
    return { mspId, tenantId, accountId, fence, vaultKey: { id: this.#key.id, publicKey: this.#key.pair.publicKey }, policy };
  }

  /** Takes a message; answers what it says to it. */
  async take(type: MessageType, payload: unknown): Promise<Payload<'entra-rotation-answered'> | null> {
    if (type === 'entra-break-glass-changed') this.#changed(payload as Payload<'entra-break-glass-changed'>);
    if (type === 'entra-rotation-confirmed') this.#confirmed(payload as Payload<'entra-rotation-confirmed'>);
    return type === 'entra-rotation-escrowed' ? this.#escrowed(payload as Payload<'entra-rotation-escrowed'>) : null;
  }

  #changed(told: Payload<'entra-break-glass-changed'>): void {
    const last = this.told.at(-1);
    if (last !== undefined && told.version <= last.version) return;
    this.told.push(told);
    if (told.tampered && last?.tampered !== true) this.askForChange();
  }

  async #escrowed(offer: Payload<'entra-rotation-escrowed'>): Promise<Payload<'entra-rotation-answered'>> {
    const { mspId, tenantId, accountId, versionId, fence } = offer;
    const known = this.versions.find(({ id }) => id === versionId);
    const taken = known === undefined ? fence === this.fence : known.state !== 'FORMER';
    this.#isTold = taken;
    if (known === undefined && taken) {
      const { info, aad } = lapsSealing.escrow;
      const place = { privateKey: this.#key.pair?.privateKey ?? '', info, aad: aad(tenantId, accountId, versionId) };
      const password = (await openSealed(place, offer)).toString('utf8');
      for (const version of this.versions) if (version.state === 'PENDING') version.state = 'CANDIDATE';
      this.versions.push({ id: versionId, fence, state: 'PENDING', password });
      this.fence += 1;
    }
    return { mspId, tenantId, accountId, versionId, taken, fence: taken ? (known?.fence ?? fence) + 1 : this.fence };
  }

  #confirmed({ versionId }: Payload<'entra-rotation-confirmed'>): void {
    this.#isTold = false;
    const confirmed = this.versions.find(({ id }) => id === versionId);
    if (confirmed === undefined) throw new Error('A version was confirmed that the vault never had.');
    if (confirmed.state === 'CURRENT') return;
    if (confirmed.state === 'FORMER') {
      confirmed.state = 'CANDIDATE';
      return this.askForChange();
    }
    for (const version of this.versions)
      if (version !== confirmed && (version.state === 'CURRENT' || version.fence < confirmed.fence)) version.state = 'FORMER';
    confirmed.state = 'CURRENT';
    this.#done = this.#asked;
  }
}
