import { NetworkError, StintError, type StintClient } from '@stint/sdk';
import { desiredAccount } from '../desired-state/desired-account.ts';
import {
  CancelLoginDocument,
  CheckInDocument,
  LoginStateDocument,
  ReportAccountsDocument,
  ReportStrayAccountsDocument,
  StartLoginDocument,
  SubmitTotpCodeDocument,
} from '../generated/operations.ts';
import {
  Refused,
  type AccountReport,
  type CheckIn,
  type CodeAnswer,
  type ControlPlane,
  type LoginMethod,
  type LoginState,
  type StartedLogin,
  type StrayAccount,
} from './control-plane.ts';

/** The server behind Stint's public GraphQL interface. */
export class GraphqlControlPlane implements ControlPlane {
  readonly #client: StintClient;

  constructor(client: StintClient) {
    this.#client = client;
  }

  async checkIn(knownRevision: number | null): Promise<CheckIn> {
    const { thisDevice } = await this.#client.request(CheckInDocument, { knownRevision });
    // A part of the graph that fails blanks its field: no answer is not the same as no accounts.
    if (!thisDevice.desiredState) throw new NetworkError('The server could not tell the desired state.');
    const { revision, checkInSeconds, accounts } = thisDevice.desiredState;
    return {
      revision,
      checkInSeconds,
      accounts: accounts?.map((account) => desiredAccount.parse(account)) ?? null,
      offlineAccess: null,
    };
  }

  async report(revision: number, reports: readonly AccountReport[]): Promise<number> {
    const { reportAccounts: answer } = await this.#client.request(ReportAccountsDocument, {
      input: { revision, reports: reports.map((report) => ({ ...report, privileged: report.privileged.slice(0, 50) })) },
    });
    if (answer.__typename === 'ReportsTaken') return answer.revision;
    throw new Refused(answer.message);
  }

  async reportStrays(strays: readonly StrayAccount[]): Promise<void> {
    const { reportStrayAccounts: answer } = await this.#client.request(ReportStrayAccountsDocument, {
      input: { strays: strays.slice(0, 100) },
    });
    if (answer.__typename !== 'ReportsTaken') throw new Refused(answer.message);
  }

  /** The interface has no place for them yet: nobody is prepared, so there are none; if there were, they would be kept. */
  reportOfflineLogins(): Promise<void> {
    return Promise.reject(new NetworkError('The server takes no offline logins.'));
  }

  async startLogin(id: string, method: LoginMethod): Promise<StartedLogin> {
    const { startLogin: answer } = await refusals(this.#client.request(StartLoginDocument, { input: { id, method } }));
    if (answer.__typename !== 'StartedLogin') throw new Refused(answer.message);
    const { shownNumber, expiresAt, tenantName } = answer.loginRequest;
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

  nudges(signal: AbortSignal): AsyncIterable<unknown> {
    return this.#client.nudges(signal);
  }
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
