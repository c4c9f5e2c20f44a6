import { NetworkError, StintError, type StintClient } from '@stint/sdk';
import { desiredAccount } from '../desired-state/desired-account.ts';
import {
  CancelLoginDocument,
  CheckInDocument,
  LoginStateDocument,
  OfflineAccessDocument,
  type OfflineEntryFragment,
  ReportAccountsDocument,
  ReportOfflineLoginsDocument,
  ReportStrayAccountsDocument,
  StartLoginDocument,
  SubmitTotpCodeDocument,
} from '../generated/operations.ts';
import type { PreparedAccess } from '../offline/offline-store.ts';
import { sendableChanges, sendableName, toldName } from './sendable.domain.ts';
import {
  Refused,
  type AccountReport,
  type CheckIn,
  type CodeAnswer,
  type ControlPlane,
  type LoginMethod,
  type LoginState,
  type OfflineLockReport,
  type OfflineLoginReport,
  type StartedLogin,
  type StrayAccount,
} from './control-plane.ts';

/** How often the server is asked who may log in without it, when nothing else is new; sooner while that is nobody. */
const offlineEveryMs = { some: 3_600_000, nobody: 300_000 };

/** The server behind Stint's public GraphQL interface. */
export class GraphqlControlPlane implements ControlPlane {
  #client: StintClient;
  #changed = new AbortController();
  /** When to ask the server again who may log in without it, by the monotonic clock. */
  #offlineDueAt = 0;
  /** The revision of the list of which the server was asked last. */
  #offlineRevision: number | null = null;

  constructor(client: StintClient) {
    this.#client = client;
  }

  /** From here on it is asked as this client: the computer has a new key. */
  use(client: StintClient): void {
    this.#client = client;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  async checkIn(knownRevision: number | null): Promise<CheckIn> {
    const { thisDevice } = await this.#client.request(CheckInDocument, { knownRevision });
    // A part of the graph that fails blanks its field: no answer is not the same as no accounts.
    if (!thisDevice.desiredState) throw new NetworkError('The server could not tell the desired state.');
    const { revision, checkInSeconds, accounts, offlineRevision } = thisDevice.desiredState;
    // What is new for the accounts may be new for offline logins, too: whoever lost access here is to be forgotten. Asked
    // after the revision was read, so that what comes is at least as new.
    const due = accounts != null || offlineRevision !== this.#offlineRevision || performance.now() >= this.#offlineDueAt;
    const offlineAccess = due ? preparedOf((await this.#client.request(OfflineAccessDocument, {})).thisDevice.offlineAccess) : null;
    if (offlineAccess) {
      this.#offlineRevision = offlineRevision;
      this.#offlineDueAt = performance.now() + offlineEveryMs[offlineAccess.length > 0 ? 'some' : 'nobody'];
    }
    return { revision, checkInSeconds, accounts: accounts?.map((account) => desiredAccount.parse(account)) ?? null, offlineAccess };
  }

  async report(revision: number, reports: readonly AccountReport[]): Promise<number> {
    const { reportAccounts: answer } = await this.#client.request(ReportAccountsDocument, {
      input: {
        revision,
        reports: reports.map((report) => ({ ...report, name: sendableName(report.name), privileged: sendableChanges(report.privileged) })),
      },
    });
    if (answer.__typename === 'ReportsTaken') return answer.revision;
    throw new Refused(answer.message);
  }

  async reportStrays(strays: readonly StrayAccount[]): Promise<void> {
    const { reportStrayAccounts: answer } = await this.#client.request(ReportStrayAccountsDocument, {
      input: { strays: strays.slice(0, 100).map(({ accountId, name }) => ({ accountId, name: toldName(name) })) },
    });
    if (answer.__typename !== 'ReportsTaken') throw new Refused(answer.message);
  }

  async reportOfflineLogins(logins: readonly OfflineLoginReport[], locks: readonly OfflineLockReport[]): Promise<void> {
    const { reportOfflineLogins: answer } = await this.#client.request(ReportOfflineLoginsDocument, {
      input: { logins: [...logins], locks: [...locks] },
    });
    if (answer.__typename !== 'ReportsTaken') throw new Refused(answer.message);
  }

  async startLogin(id: string, method: LoginMethod, email?: string): Promise<StartedLogin> {
    const { startLogin: answer } = await refusals(this.#client.request(StartLoginDocument, { input: { id, method, email } }));
    if (answer.__typename !== 'StartedLogin') throw new Refused(answer.message);
    const { shownNumber, expiresAt, tenantName } = answer.loginRequest;
    // Hidden from people only.
    if (shownNumber === null) throw new NetworkError('The server did not say which number to show.');
    return { shownNumber, tenantName, expiresAtMs: Date.parse(expiresAt), qrPayload: answer.qrPayload ?? null };
  }

  async loginState(id: string): Promise<{ state: LoginState; failure: string | null; expiresAtMs: number } | null> {
    const { loginRequest } = await this.#client.request(LoginStateDocument, { id });
    if (!loginRequest) return null;
    return { state: loginRequest.state, failure: loginRequest.failure ?? null, expiresAtMs: Date.parse(loginRequest.expiresAt) };
  }

  async cancelLogin(id: string): Promise<boolean> {
    const { cancelLogin: answer } = await this.#client.request(CancelLoginDocument, { input: { id } });
    return answer.__typename !== 'Conflict';
  }

  async submitCode(loginRequestId: string, email: string, code: string): Promise<CodeAnswer> {
    const { submitTotpCode: answer } = await refusals(
      this.#client.request(SubmitTotpCodeDocument, { input: { loginRequestId, email, code } }),
    );
    if (answer.__typename === 'TotpAccepted') return { accepted: true };
    return { accepted: false, message: answer.message, retryAt: answer.__typename === 'TotpLocked' ? answer.retryAt : null };
  }

  async *nudges(signal: AbortSignal): AsyncGenerator<unknown, void, void> {
    // Anew when the key has changed: the stream of the old one is cut.
    while (!signal.aborted) {
      const changed = this.#changed.signal;
      yield* this.#client.nudges(AbortSignal.any([signal, changed]));
      if (!changed.aborted) return;
    }
  }
}

/**
 * Who may log in without the server; null when it could not tell. Secrets come from another part of the graph than the
 * rest: when all are missing, that part had no answer; one that is missing alone does not exist.
 */
function preparedOf(entries: readonly OfflineEntryFragment[] | null | undefined): PreparedAccess[] | null {
  if (!entries) return null;
  const prepared = entries.flatMap(({ deviceId: _, validUntil, sealedSecret, ...entry }) =>
    sealedSecret ? [{ ...entry, validUntilMs: Date.parse(validUntil), sealedSecret }] : [],
  );
  return prepared.length === 0 && entries.length > 0 ? null : prepared;
}

/** Somebody waits at the terminal: what the server says in words is theirs to read. */
async function refusals<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StintError)
      throw new Refused(error.correlationId ? `${error.message} (reference ${error.correlationId})` : error.message);
    throw error;
  }
}
