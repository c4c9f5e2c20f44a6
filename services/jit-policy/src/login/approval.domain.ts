import { invalidInput } from '@stint/kernel';
import { reason, ticket, type ApprovalContent } from '@stint/contracts';
import { settingDefinitions } from '../settings/settings.domain.ts';
import { chosenSessionSeconds, type LoginRequest } from './login.domain.ts';

/** What an approver chose, checked and normalised. */
export interface Choice {
  sessionSeconds: number | null;
  reason: string | null;
  ticket: string | null;
}

/** Checks what an approver typed and chose; Problem `InvalidInput`. */
export function checkedChoice(input: {
  sessionSeconds?: number | null | undefined;
  reason?: string | null | undefined;
  ticket?: string | null | undefined;
}): Choice {
  const { rule, says } = settingDefinitions.sessionSeconds;
  const sessionSeconds = input.sessionSeconds ?? null;
  if (sessionSeconds !== null && !rule.safeParse(sessionSeconds).success) throw invalidInput('sessionSeconds', `sessionSeconds ${says}.`);
  return { sessionSeconds, reason: text('reason', reason, input.reason), ticket: text('ticket', ticket, input.ticket) };
}

/** What the approver's key must have signed, from the server's own rows and the choice. */
export function approvalContent(request: LoginRequest, choice: Choice): ApprovalContent {
  return {
    loginRequestId: request.id,
    tenantId: request.tenantId,
    tenantName: request.tenantName,
    deviceId: request.deviceId,
    hostName: request.hostName,
    shownNumber: request.shownNumber,
    durationSeconds: chosenSessionSeconds(choice.sessionSeconds, request.sessionSeconds),
    reason: choice.reason,
    ticket: choice.ticket,
  };
}

/** Why a right TOTP code does not approve the login all the same; null when it does. */
export function totpObstacle(facts: {
  request: Pick<LoginRequest, 'method'>;
  deviceActive: boolean;
  technicianMay: boolean;
  totpLogin: boolean;
}): string | null {
  if (!facts.deviceActive) return 'The computer was revoked.';
  if (!facts.technicianMay) return 'The technician may not log in here.';
  if (facts.request.method !== 'TOTP') return 'This login waits for its QR code to be scanned, not for a code.';
  if (!facts.totpLogin) return 'Logging in with a code was switched off for this customer.';
  return null;
}

function text(field: string, rule: typeof reason, value: string | null | undefined): string | null {
  if (value == null) return null;
  const parsed = rule.safeParse(value);
  if (!parsed.success) throw invalidInput(field, `${field} ${parsed.error.issues[0]?.message ?? 'is not valid'}.`);
  return parsed.data;
}
