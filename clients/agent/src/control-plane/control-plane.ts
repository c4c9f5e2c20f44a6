import type { DesiredAccount } from '../desired-state/desired-account.ts';
import type { OfflineLock, PreparedAccess } from '../offline/offline-store.ts';
import type { OfflineLogin, PendingReport } from '../state/agent-state.ts';

/** The server's answer to a check-in; `accounts` is null when the known revision is still the newest. */
export interface CheckIn {
  revision: number;
  checkInSeconds: number;
  accounts: DesiredAccount[] | null;
  /** Who may log in without the server, with their secrets; null when the server could not tell. */
  offlineAccess: PreparedAccess[] | null;
}

/** An account with Stint's mark that belongs to nobody. */
export interface StrayAccount {
  accountId: string;
  name: string;
}

/** An offline login as it is sent. */
export type OfflineLoginReport = Omit<OfflineLogin, 'at'> & { secondsAgo: number };

/** Wrong codes that locked somebody out, as they are sent. */
export type OfflineLockReport = Omit<OfflineLock, 'at'> & { secondsAgo: number };

/** A report as it is sent: `at` became seconds by the computer's clock. */
export type AccountReport = Omit<PendingReport, 'at' | 'revision'> & { secondsAgo: number };

export type LoginMethod = 'QR' | 'TOTP' | 'PUSH';
export type LoginState = 'PENDING' | 'AWAITING_APPROVAL' | 'APPROVED' | 'ACTIVE' | 'ENDED' | 'DENIED' | 'EXPIRED' | 'FAILED';

/** A login that waits for its approval. `qrPayload` holds a one-time code: shown, never stored or logged. */
export interface StartedLogin {
  shownNumber: string;
  expiresAtMs: number;
  tenantName: string;
  qrPayload: string | null;
}

/** What a typed code led to. */
export type CodeAnswer = { accepted: true } | { accepted: false; message: string; retryAt: string | null };

/**
 * What the agent needs of the server. Expected refusals are a `Refused`; whatever else is thrown means that there was no
 * usable answer and that the call may be repeated as it is.
 */
export interface ControlPlane {
  checkIn(knownRevision: number | null): Promise<CheckIn>;
  /** Hands over at most 100 reports of what was seen under `revision`; answers the newest revision. */
  report(revision: number, reports: readonly AccountReport[]): Promise<number>;
  /** Hands over all stray accounts that there are now. */
  reportStrays(strays: readonly StrayAccount[]): Promise<void>;
  /** Hands over logins that this computer decided by itself, and the locks of those that it refused; at most 100 each. Repeating is harmless. */
  reportOfflineLogins(logins: readonly OfflineLoginReport[], locks: readonly OfflineLockReport[]): Promise<void>;
  /** `email`: whom to ask; needed for PUSH. */
  startLogin(id: string, method: LoginMethod, email?: string): Promise<StartedLogin>;
  loginState(id: string): Promise<{ state: LoginState; failure: string | null; expiresAtMs: number } | null>;
  /** False when it is too late because the login is no longer pending. */
  cancelLogin(id: string): Promise<boolean>;
  submitCode(loginRequestId: string, email: string, code: string): Promise<CodeAnswer>;
  /** Yields whenever a check-in may bring something new, until `signal` aborts. */
  nudges(signal: AbortSignal): AsyncIterable<unknown>;
}

/** The server said no, in words for a person. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
