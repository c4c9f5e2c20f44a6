import type { KeyApprovalContent } from '@stint/contracts';
import { CommandRefusal, UsageError } from '../failure.ts';
import type { LoginShownFragment } from '../generated/operations.ts';
import { answered } from '../session.ts';

/** What the technician chose. */
export interface ApprovalChoice {
  minutes?: number;
  reason?: string;
  ticket?: string;
}

/** Exactly what is shown, asked and signed: one value for all three, so that they cannot differ. Refuses a login that cannot be approved. */
export function approvalContent(login: LoginShownFragment, choice: ApprovalChoice): KeyApprovalContent {
  if (login.state !== 'PENDING') {
    throw new CommandRefusal(
      'Conflict',
      `This login is ${login.state.toLowerCase()}: it waits for no approval. Start a new one at the computer.`,
    );
  }
  const chosen = choice.minutes === undefined ? login.sessionSeconds : choice.minutes * 60;
  if (chosen > login.sessionSeconds) {
    throw new UsageError(`--minutes may only shorten the session, which is ${login.sessionSeconds / 60} minutes at most here.`);
  }
  return {
    loginRequestId: login.id,
    tenantId: answered(login.tenant, 'customer').id,
    tenantName: login.tenantName,
    deviceId: answered(login.device, 'computer').id,
    hostName: login.hostName,
    shownNumber: answered(login.shownNumber, 'number'),
    durationSeconds: chosen,
    reason: choice.reason ?? null,
    ticket: choice.ticket ?? null,
  };
}
