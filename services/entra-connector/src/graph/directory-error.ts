/** What became of a call to a customer's Entra tenant that did not go well. */
export type DirectoryErrorKind =
  /** There is no such object. */
  | 'NOT_FOUND'
  /** Entra does not know everywhere yet what was made or changed a moment ago. Try later; never make it again. */
  | 'NOT_YET'
  /** Another object has the user principal name. */
  | 'NAME_TAKEN'
  /** What was asked for is so already. */
  | 'ALREADY'
  /** Stint's app may not do this: a permission or a directory role is missing. `permissions` names those that would do. */
  | 'FORBIDDEN'
  /** Too many calls. `retryAfterSeconds` says when to come back. */
  | 'THROTTLED'
  /** Microsoft did not answer, or not sensibly. A change may have been made all the same. */
  | 'UNAVAILABLE'
  /** Entra refuses the call as it is; `message` says why. */
  | 'INVALID'
  /** The tenant's rules for passwords refuse this one. Another one may pass. */
  | 'PASSWORD_REFUSED'
  /** A rule of Privileged Identity Management or of the pass policy refuses it. */
  | 'POLICY'
  /** The tenant does not have the licence that this needs. */
  | 'LICENCE_MISSING'
  /** A role that was given for a time can be taken away only after it has been active for five minutes. */
  | 'TOO_SOON'
  /** What is kept of it is of another Entra tenant than the connected one. */
  | 'OTHER_TENANT'
  /** No token for the tenant: `credential` says why. */
  | 'CREDENTIAL';

/** Why there is no token for a tenant. */
export const credentialFaults = [
  'NOT_CONNECTED',
  'SECRET_WRONG',
  'SECRET_EXPIRED',
  'CERTIFICATE_UNKNOWN',
  'CERTIFICATE_EXPIRED',
  'TENANT_UNKNOWN',
  'WRONG_TENANT',
  'APP_UNKNOWN',
  'APP_DISABLED',
  'CONSENT_MISSING',
  'SIGN_IN_BLOCKED',
  'REFUSED',
] as const;
export type CredentialFault = (typeof credentialFaults)[number];

export interface DirectoryFailure {
  kind: DirectoryErrorKind;
  /** What happened and what to do next, for a technician or administrator. Never a secret, a token or a password. */
  message: string;
  /** Whether the change may have been made nevertheless: look before you try again. */
  mayHaveHappened?: boolean;
  /** When to come back, where Microsoft or reason says so. */
  retryAfterSeconds?: number;
  /** Microsoft's code, such as `Request_ResourceNotFound` or `AADSTS7000215`. */
  code?: string;
  /** Microsoft's id of the request, for its support. */
  requestId?: string;
  /** Of FORBIDDEN: any one of these application permissions allows the call. */
  permissions?: readonly string[];
  /** Of CREDENTIAL. */
  credential?: CredentialFault;
}

/** A call to a customer's Entra tenant did not go well: `kind` says how, `message` what to do, in words for people. */
export class DirectoryError extends Error {
  readonly kind: DirectoryErrorKind;
  readonly mayHaveHappened: boolean;
  readonly retryAfterSeconds: number | null;
  readonly code: string | null;
  readonly requestId: string | null;
  readonly permissions: readonly string[];
  readonly credential: CredentialFault | null;

  constructor(failure: DirectoryFailure) {
    super(failure.message);
    this.name = 'DirectoryError';
    this.kind = failure.kind;
    this.mayHaveHappened = failure.mayHaveHappened ?? false;
    this.retryAfterSeconds = failure.retryAfterSeconds ?? null;
    this.code = failure.code ?? null;
    this.requestId = failure.requestId ?? null;
    this.permissions = failure.permissions ?? [];
    this.credential = failure.credential ?? null;
  }
}

/** Whether it may go well later without anybody doing anything. */
export function passes({ kind }: DirectoryError): boolean {
  return kind === 'NOT_YET' || kind === 'THROTTLED' || kind === 'UNAVAILABLE' || kind === 'TOO_SOON';
}

/** The error, if it is one of these kinds; for `catch` clauses. */
export function isDirectoryError(error: unknown, ...kinds: readonly DirectoryErrorKind[]): error is DirectoryError {
  return error instanceof DirectoryError && (kinds.length === 0 || kinds.includes(error.kind));
}
