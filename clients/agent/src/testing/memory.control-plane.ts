import { NetworkError, StintError } from '@stint/sdk';
import { Refused } from '../control-plane/control-plane.ts';
import type {
  AccountReport,
  CheckIn,
  CodeAnswer,
  ControlPlane,
  LoginMethod,
  LoginState,
  OfflineLockReport,
  OfflineLoginReport,
  StartedLogin,
  StrayAccount,
} from '../control-plane/control-plane.ts';
import type { DesiredAccount, DesiredGrant } from '../desired-state/desired-account.ts';
import { Latch } from '../latch.ts';
import type { PreparedAccess } from '../offline/offline-store.ts';

type AccountChange = Partial<DesiredAccount & DesiredGrant> & Pick<DesiredAccount, 'id'>;

/** A grant for an hour. */
export function aDesiredGrant(change: Partial<DesiredGrant> & Pick<DesiredGrant, 'grantId'>): DesiredGrant {
  return {
    loginRequestId: null,
    sessionSeconds: 3600,
    activateBy: Date.now() + 60_000,
    expiresAt: null,
    idleEndSeconds: null,
    warnSeconds: 300,
    ...change,
  };
}

/** A desired account that is enabled for one grant of its own (told in the same object), or for those that are named. */
export function aDesiredAccount({ id, name, displayName, state = 'ENABLED', grants, ...change }: AccountChange): DesiredAccount {
  const { passwordLength = 24, removeNewPrivileged = false, grantId = `grant-of-${id}`, ...grant } = change;
  return {
    id,
    name: name ?? 'jit-anna',
    displayName: displayName ?? 'Anna Berg',
    state,
    grants: grants ?? (state === 'ENABLED' ? [aDesiredGrant({ grantId, ...grant })] : []),
    passwordLength,
    removeNewPrivileged,
  };
}

interface Login {
  method: LoginMethod;
  email: string | undefined;
  state: LoginState;
  failure: string | null;
  expiresAtMs: number;
}

/** A server of the tests' own, in this process: keeps a desired state and takes reports as the real one does. */
export class MemoryControlPlane implements ControlPlane {
  revision = 1;
  accounts: DesiredAccount[] = [];
  /** The revision that was asked for last. */
  fetched = 0;
  reachable = true;
  readonly reportedUnder: { revision: number; report: AccountReport }[] = [];
  /** Who may log in without the server; null: not told. */
  offlineAccess: PreparedAccess[] | null = null;
  readonly strays: (readonly StrayAccount[])[] = [];
  readonly offlineLogins: OfflineLoginReport[] = [];
  readonly offlineLocks: OfflineLockReport[] = [];
  /** A grant of which it refuses to hear, and all that is told with it. */
  refusedOffline: string | undefined;
  /** An account or grant at whose reports it fails inside, with all that is told with them. */
  stumbling: string | undefined;
  readonly logins = new Map<string, Login>();
  /** What to answer to codes, in order. */
  readonly codes: CodeAnswer[] = [];
  readonly #nudge = new Latch();

  /** Changes what is wanted and nudges the agent. */
  want(...accounts: DesiredAccount[]): void {
    this.accounts = accounts;
    this.revision++;
    this.#nudge.raise();
  }

  /** What a technician does with a phone: the account is wanted for this login. */
  approve(loginRequestId: string, account: DesiredAccount): void {
    this.logins.get(loginRequestId)!.state = 'APPROVED';
    this.want({ ...account, grants: account.grants.map((grant) => ({ ...grant, loginRequestId })) });
  }

  reported(accountId: string): AccountReport[] {
    return this.reportedUnder.map(({ report }) => report).filter((report) => report.accountId === accountId);
  }

  async checkIn(knownRevision: number | null): Promise<CheckIn> {
    this.#reach();
    this.fetched = this.revision;
    return {
      revision: this.revision,
      checkInSeconds: 60,
      accounts: knownRevision === this.revision ? null : structuredClone(this.accounts),
      offlineAccess: knownRevision === this.revision ? null : structuredClone(this.offlineAccess),
    };
  }

  async report(revision: number, reports: readonly AccountReport[]): Promise<number> {
    this.#reach();
    if (reports.some(({ accountId }) => accountId === this.stumbling)) throw new StintError('INTERNAL', 'Something went wrong.');
    this.reportedUnder.push(...reports.map((report) => ({ revision, report })));
    for (const { grantId, state } of reports) {
      const account = this.accounts.find((wanted) => wanted.grants.some((grant) => grant.grantId === grantId));
      if (!account || state === 'ACTIVE') continue;
      account.grants = account.grants.filter((grant) => grant.grantId !== grantId);
      if (account.grants.length === 0) account.state = 'DISABLED';
      this.revision++;
    }
    return this.revision;
  }

  async reportStrays(strays: readonly StrayAccount[]): Promise<void> {
    this.#reach();
    this.strays.push(strays);
  }

  async reportOfflineLogins(logins: readonly OfflineLoginReport[], locks: readonly OfflineLockReport[]): Promise<void> {
    this.#reach();
    this.offlineLocks.push(...locks);
    if (logins.some(({ grantId }) => grantId === this.stumbling)) throw new StintError('INTERNAL', 'Something went wrong.');
    if (logins.some(({ grantId }) => grantId === this.refusedOffline)) throw new Refused('It must be an account of this device.');
    this.offlineLogins.push(...logins);
  }

  async startLogin(id: string, method: LoginMethod, email?: string): Promise<StartedLogin> {
    this.#reach();
    const expiresAtMs = Date.now() + 120_000;
    this.logins.set(id, { method, email, state: 'PENDING', failure: null, expiresAtMs });
    return {
      shownNumber: '42',
      expiresAtMs,
      tenantName: 'Bakery Lee',
      qrPayload: method === 'QR' ? `https://stint.example/l/${id}` : null,
    };
  }

  async loginState(id: string) {
    this.#reach();
    return this.logins.get(id) ?? null;
  }

  async cancelLogin(id: string): Promise<boolean> {
    this.#reach();
    const login = this.logins.get(id);
    if (login?.state !== 'PENDING') return false;
    login.state = 'EXPIRED';
    return true;
  }

  async submitCode(): Promise<CodeAnswer> {
    this.#reach();
    return this.codes.shift() ?? { accepted: false, message: 'Wrong code.', retryAt: null };
  }

  async *nudges(signal: AbortSignal): AsyncGenerator<'changed'> {
    signal.addEventListener('abort', () => this.#nudge.raise(), { once: true });
    while (!signal.aborted) {
      await this.#nudge.wait(60_000);
      if (this.reachable) yield 'changed';
    }
  }

  #reach(): void {
    if (!this.reachable) throw new NetworkError('The server cannot be reached.');
  }
}
