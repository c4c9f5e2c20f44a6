import { addSeconds } from '@stint/kernel';
import { DirectoryError, type DirectoryErrorKind, type DirectoryFailure } from './directory-error.ts';
import type { UserRef } from './users.port.ts';

/** A refusal as Graph gave it, or as a whole call or as one part of a batch. */
export interface GraphRefusal {
  /** Null: there was no answer. */
  status: number | null;
  code: string;
  message: string;
  requestId: string | null;
  retryAfterSeconds: number | null;
  /** The request never left, so that it cannot have had an effect. */
  unsent: boolean;
}

/** What a call wanted, as far as its failure has to know. */
export interface CallFacts {
  /** In words, after "Stint could not": `give the role`. */
  purpose: string;
  /** Read only: it has no effect that could have happened. */
  reads: boolean;
  /** Any one of these application permissions allows it. */
  permissions: readonly string[];
  /** The user that it is about, where that may be fresh. */
  user?: UserRef | undefined;
}

/** How long Entra may show late what was made or changed. */
const lateSeconds = 300;

/** Turns a refusal into what callers know. Never quotes what was sent. */
export function failureOf(refusal: GraphRefusal, call: CallFacts, now: Date): DirectoryError {
  const known = knownRefusal(refusal, call, now);
  const { status, code, requestId, retryAfterSeconds } = refusal;
  return new DirectoryError({
    ...known,
    message: `Stint could not ${call.purpose}. ${known.message}`,
    mayHaveHappened: !call.reads && !refusal.unsent && (status === null || status >= 500),
    ...(code === '' ? {} : { code }),
    ...(requestId === null ? {} : { requestId }),
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
  });
}

function knownRefusal(refusal: GraphRefusal, call: CallFacts, now: Date): DirectoryFailure {
  const { status, code, message } = refusal;
  const fresh = within(call.user?.createdAt, now);
  if (status === null || status >= 500) {
    return { kind: 'UNAVAILABLE', message: 'Microsoft does not answer as it should at the moment. Stint will try again.' };
  }
  if (status === 429) return { kind: 'THROTTLED', message: 'Microsoft wants fewer calls at the moment. Stint will try again.' };
  if (status === 409 || status === 423 || code === 'Directory_ConcurrencyViolation') {
    return { kind: 'NOT_YET', message: 'Somebody else changes the same thing in Entra at this moment. Stint will try again.' };
  }
  if (status === 401) {
    return {
      kind: 'CREDENTIAL',
      credential: code === 'Authorization_IdentityNotFound' ? 'CONSENT_MISSING' : 'REFUSED',
      message: 'Entra does not accept who Stint is there. Check the connection of this tenant.',
    };
  }
  const coded = byCode[code] ?? byText.find(([pattern]) => pattern.test(message))?.[1];
  if (coded === 'POLICY') return { kind: coded, message: `${policyWords(message)}` };
  if (coded !== undefined) return { kind: coded, message: words[coded] ?? `Entra says: ${quoted(message)}` };
  if (status === 403) {
    if (within(call.user?.rolesChangedAt, now)) return { kind: 'NOT_YET', message: notYet };
    const which = call.permissions.length === 0 ? '' : ` (${call.permissions.join(' or ')})`;
    return {
      kind: 'FORBIDDEN',
      permissions: call.permissions,
      message: `The app registration lacks a permission${which}, or a directory role that it needs for this account. Verify the connection: it names what is missing.`,
    };
  }
  if (status === 404 || referenceMissing.test(message)) {
    if (fresh) return { kind: 'NOT_YET', message: notYet };
    return { kind: 'NOT_FOUND', message: 'Entra does not have it (any more).' };
  }
  return { kind: 'INVALID', message: `Entra says: ${quoted(message)}` };
}

const notYet = 'Entra does not know everywhere yet what was changed a moment ago. Stint will try again.';
const referenceMissing = /not a valid reference|reference-property objects are not present|subject is not found/i;

const byCode: Record<string, DirectoryErrorKind> = {
  RoleAssignmentExists: 'ALREADY',
  RoleAssignmentDoesNotExist: 'NOT_FOUND',
  ActiveDurationTooShort: 'TOO_SOON',
  RoleAssignmentRequestPolicyValidationFailed: 'POLICY',
  AadPremiumLicenseRequired: 'LICENCE_MISSING',
};

// Where Graph has one code for everything (`Request_BadRequest`), only its words tell.
const byText: readonly [RegExp, DirectoryErrorKind][] = [
  [/same value for property (userPrincipalName|mailNickname)/i, 'NAME_TAKEN'],
  [/conflicting object with one or more of the specified property values/i, 'ALREADY'],
  [/(specified|new) password|password .*(complex|banned|guess|policy|requirement)/i, 'PASSWORD_REFUSED'],
  [/Entra ID (P2|Governance)|premium .*licen[cs]e|licen[cs]e .*required/i, 'LICENCE_MISSING'],
  [/Temporary Access Pass.*(polic|between|allowed|enabled)|(not enabled|disabled) by .*polic/i, 'POLICY'],
];

const words: Partial<Record<DirectoryErrorKind, string>> = {
  NAME_TAKEN: 'Another object in Entra has this name.',
  ALREADY: 'It is so already.',
  PASSWORD_REFUSED: "The tenant's rules for passwords refuse this one.",
  LICENCE_MISSING: 'Roles that end by themselves need the licence Entra ID P2 or Entra ID Governance in the tenant.',
  NOT_FOUND: 'Entra does not have it (any more).',
  TOO_SOON: 'Privileged Identity Management takes a role away only after five minutes, and gives none for less.',
};

const rules: Record<string, string> = {
  MfaRule: 'the role demands multi-factor authentication of whoever assigns it, which an application cannot do',
  JustificationRule: 'the role demands a reason',
  TicketingRule: 'the role demands a ticket',
  ExpirationRule: 'the role may not be assigned for so long',
  EligibilityRule: 'the role may only be assigned as eligible',
};

function policyWords(message: string): string {
  const failed = Object.keys(rules).flatMap((rule) => (message.includes(rule) ? (rules[rule] ?? []) : []));
  return failed.length === 0
    ? `The tenant's policy refuses it: ${quoted(message)}`
    : `In Privileged Identity Management ${failed.join('; ')}.`;
}

/** Microsoft's words without what could be long. */
function quoted(message: string): string {
  return message.length <= 300 ? message : `${message.slice(0, 299)}…`;
}

function within(at: Date | null | undefined, now: Date): boolean {
  return at !== null && at !== undefined && now < addSeconds(at, lateSeconds);
}
