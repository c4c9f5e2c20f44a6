import { invalidInput } from '@stint/kernel';
import { reason, ticket, type AccountKind, type LoginApprovalContent } from '@stint/contracts';
import type { Decision } from '../access/access.domain.ts';
import { longestSeconds } from '../access-rule/access-rule.domain.ts';
import type { LoginRequest } from './login.domain.ts';

/** What an approver chose, checked and normalised. */
export interface Choice {
  /** null: the one that stands first. */
  accountKind: AccountKind | null;
  sessionSeconds: number | null;
  reason: string | null;
  ticket: string | null;
}

/** Checks what an approver typed and chose; Problem `InvalidInput`. */
export function checkedChoice(input: {
  accountKind?: AccountKind | null | undefined;
  sessionSeconds?: number | null | undefined;
  reason?: string | null | undefined;
  ticket?: string | null | undefined;
}): Choice {
  const sessionSeconds = input.sessionSeconds ?? null;
  if (sessionSeconds !== null && (!Number.isInteger(sessionSeconds) || sessionSeconds < 60 || sessionSeconds > longestSeconds))
    throw invalidInput('sessionSeconds', `sessionSeconds must be a whole number from 60 to ${longestSeconds}.`);
  return {
    accountKind: input.accountKind ?? null,
    sessionSeconds,
    reason: text('reason', reason, input.reason),
    ticket: text('ticket', ticket, input.ticket),
  };
}

/** Holds the choice against what the rule demands; Problem `InvalidInput` about the field that is missing or too much. */
export function assertDemandsMet(
  decision: Pick<Decision, 'ruleName' | 'requireReason' | 'requireTicket' | 'maxSeconds'>,
  choice: Pick<Choice, 'reason' | 'ticket' | 'sessionSeconds'>,
): void {
  const rule = `The access rule “${decision.ruleName ?? ''}”`;
  if (decision.requireReason && choice.reason === null) throw invalidInput('reason', `${rule} demands a reason. Say why access is needed.`);
  if (decision.requireTicket && choice.ticket === null)
    throw invalidInput('ticket', `${rule} demands a ticket. Name the ticket that it is for.`);
  if (choice.sessionSeconds !== null && choice.sessionSeconds > decision.maxSeconds)
    throw invalidInput('sessionSeconds', `${rule} allows at most ${decision.maxSeconds} seconds.`);
}

/** The login with the account that was chosen; Problem `InvalidInput` where it is not among those offered. */
export function withAccountKind(request: LoginRequest, chosen: AccountKind | null): LoginRequest {
  if (chosen === null || chosen === request.accountKind) return request;
  if (!request.accountKinds.includes(chosen)) {
    const why = chosen === 'DOMAIN' && request.domainObstacle !== null ? ` ${request.domainObstacle}` : '';
    throw invalidInput('accountKind', `accountKind must be one of ${request.accountKinds.join(', ')} here.${why}`);
  }
  return { ...request, accountKind: chosen };
}

/** Whether the technician typed the number that the computer shows; true where none is asked for. Problem `InvalidInput` for what is no such number: that is no guess. */
export function numberFits(request: Pick<LoginRequest, 'method' | 'shownNumber'>, typed: string | null | undefined): boolean {
  if (request.method !== 'PUSH') return true;
  const number = (typed ?? '').trim();
  if (!/^[0-9]{2}$/.test(number)) throw invalidInput('number', 'Type the two digits that the computer shows.');
  return number === request.shownNumber;
}

/** What an approver must have signed, from the server's own rows and the choice. */
export function approvalContent(
  purpose: LoginApprovalContent['purpose'],
  request: LoginRequest,
  technicianId: string,
  choice: { sessionSeconds: number; reason: string | null; ticket: string | null },
): LoginApprovalContent {
  return {
    purpose,
    technicianId,
    loginRequestId: request.id,
    tenantId: request.tenantId,
    tenantName: request.tenantName,
    deviceId: request.deviceId,
    hostName: request.hostName,
    accountKind: request.accountKind,
    shownNumber: request.shownNumber,
    durationSeconds: choice.sessionSeconds,
    reason: choice.reason,
    ticket: choice.ticket,
  };
}

/** Why a right TOTP code does not approve the login all the same; null when it does. A code proves who asks, and can say nothing else. */
export function totpObstacle(facts: {
  request: Pick<LoginRequest, 'method'>;
  deviceActive: boolean;
  /** null: the technician is not known here. */
  decision: Pick<Decision, 'allowed' | 'why' | 'requireReason' | 'requireTicket'> | null;
  totpLogin: boolean;
}): string | null {
  const { request, decision } = facts;
  if (!facts.deviceActive) return 'The computer was revoked.';
  if (decision === null) return 'The technician may not log in here.';
  if (!decision.allowed) return `The technician may not log in here. ${decision.why}`;
  if (request.method !== 'TOTP')
    return request.method === 'QR'
      ? 'This login waits for its QR code to be scanned, not for a code.'
      : 'This login was not started for a code.';
  if (!facts.totpLogin) return 'Logging in with a code was switched off for this customer.';
  if (decision.requireReason || decision.requireTicket) {
    const what = [decision.requireReason && 'a reason', decision.requireTicket && 'a ticket'].filter(Boolean).join(' and ');
    return `Logging in here needs ${what}, which a code cannot give. Use the QR code.`;
  }
  return null;
}

function text(field: string, rule: typeof reason, value: string | null | undefined): string | null {
  if (value == null) return null;
  const parsed = rule.safeParse(value);
  if (!parsed.success) throw invalidInput(field, `${field} ${parsed.error.issues[0]?.message ?? 'is not valid'}.`);
  return parsed.data;
}
