import { generateHpkeKeyPair, lapsSealing, openSealed, type HpkeKeyPair, type Sealed } from '@stint/crypto';
import type { DesiredLapsAccount, Escrow, LapsReport, LapsServer, LapsState } from '../laps/laps-server.ts';
import type { VaultUnderTest } from './laps-orders.ts';

interface Version {
  id: string;
  fence: number;
  state: 'PENDING' | 'CANDIDATE' | 'CURRENT' | 'FORMER';
  sealed: Sealed;
  /** How much had been asked for when it came: what is asked for later is not done with it. */
  asked: number;
}

/** A vault of the tests' own with one account, in this process: takes and refuses what the real one does. */
export class MemoryVault implements LapsServer, VaultUnderTest {
  readonly server = this;
  readonly tenantId = 'tenant';
  readonly versions: Version[] = [];
  readonly reports: LapsReport[] = [];
  account: DesiredLapsAccount;
  revision = 1;
  #keys: HpkeKeyPair;
  #incident: string | null = null;
  /** How often a change was asked for. */
  #asked = 0;
  readonly #opened = new Map<string, Promise<string>>();

  private constructor(account: Partial<DesiredLapsAccount>, keys: HpkeKeyPair) {
    this.#keys = keys;
    this.account = {
      ...{ id: '019ab111-0000-7000-8000-0000000000a1', kind: 'LOCAL', name: 'stint-admin', enabled: true, rotate: true, fence: 0 },
      ...{
        currentVersionId: null,
        takeOver: null,
        policy: { style: 'CHARACTERS', length: 24, words: 6, unambiguous: true, symbols: true },
      },
      ...account,
    };
  }

  static async make(account: Partial<DesiredLapsAccount> = {}): Promise<MemoryVault> {
    return new MemoryVault(account, await generateHpkeKeyPair());
  }

  /** Changes what is wanted. */
  want(change: Partial<DesiredLapsAccount>): void {
    if (change.rotate === true) this.#asked++;
    this.account = { ...this.account, ...change };
    this.revision++;
  }

  async state(knownRevision: number | null): Promise<LapsState> {
    const { account, revision, tenantId } = this;
    if (knownRevision === revision && !account.rotate) return { revision, accounts: null, vaultKey: null, tenantId };
    const vaultKey = account.rotate ? { id: 'key', publicKey: this.#keys.publicKey } : null;
    return { revision, accounts: [structuredClone(account)], vaultKey, tenantId };
  }

  async escrow({ versionId, fence, sealed }: Escrow): Promise<'TAKEN' | 'STALE'> {
    const known = this.versions.find(({ id }) => id === versionId);
    if (known) return known.state === 'FORMER' ? 'STALE' : 'TAKEN';
    if (fence !== this.account.fence) return 'STALE';
    for (const version of this.versions) if (version.state === 'PENDING') version.state = 'CANDIDATE';
    this.versions.push({ id: versionId, fence, state: 'PENDING', sealed, asked: this.#asked });
    this.want({ fence: fence + 1 });
    return 'TAKEN';
  }

  async confirm(_accountId: string, versionId: string): Promise<'CONFIRMED' | 'STALE'> {
    const confirmed = this.versions.find(({ id }) => id === versionId);
    if (!confirmed || confirmed.state === 'FORMER') return 'STALE';
    if (confirmed.state === 'CURRENT') return 'CONFIRMED'; // the same call again
    for (const version of this.versions)
      if (version !== confirmed && (version.state === 'CURRENT' || version.fence < confirmed.fence)) version.state = 'FORMER';
    confirmed.state = 'CURRENT';
    this.#incident = null;
    this.account = { ...this.account, currentVersionId: versionId, takeOver: null, rotate: confirmed.asked < this.#asked };
    this.revision++;
    return 'CONFIRMED';
  }

  async report(report: LapsReport): Promise<void> {
    this.reports.push(report);
    const told = report.incident === null ? null : `${report.incident} ${report.versionId}`;
    if (told === null || told === this.#incident) return;
    this.#incident = told;
    const held = this.versions.find(({ id }) => id === report.versionId);
    if (report.incident === 'ROLLED_BACK' && held?.state === 'FORMER') held.state = 'CANDIDATE';
    this.want({ rotate: true });
  }

  async askForChange(): Promise<void> {
    this.want({ rotate: true });
  }

  async changePolicy(): Promise<void> {
    this.want({ policy: { ...this.account.policy, length: this.account.policy.length + 1 } });
  }

  async lockOrUnlock(): Promise<void> {
    this.want({ enabled: !this.account.enabled });
  }

  kept(): Promise<{ password: string; isFormer: boolean }[]> {
    return Promise.all(
      this.versions.map(async (version) => ({ password: await this.open(version), isFormer: version.state === 'FORMER' })),
    );
  }

  /** What a reader would be shown, most likely first. */
  async revealed(): Promise<string[]> {
    const shown = this.versions.filter(({ state }) => state !== 'FORMER').sort((a, b) => b.fence - a.fence);
    const ordered = [...shown.filter(({ state }) => state === 'CURRENT'), ...shown.filter(({ state }) => state !== 'CURRENT')];
    return Promise.all(ordered.map((version) => this.open(version)));
  }

  open({ id, sealed }: Version): Promise<string> {
    const { info, aad } = lapsSealing.escrow;
    const place = { privateKey: this.#keys.privateKey, info, aad: aad(this.tenantId, this.account.id, id) };
    const opened = this.#opened.get(id) ?? openSealed(place, sealed).then((password) => password.toString());
    this.#opened.set(id, opened);
    return opened;
  }
}
