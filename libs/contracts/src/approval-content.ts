// Runs in browsers too: imports nothing.

/** What an account is an account of: the computer, or its domain. */
export type AccountKind = 'LOCAL' | 'DOMAIN';

/**
 * What somebody was shown before approving a login, and what they chose. Their passkey's signature covers all of it.
 * `login`: the technician who gets access; `second-approval`: another person, where an access rule demands it.
 */
export interface ApprovalContent {
  purpose: 'login' | 'second-approval';
  /** Who gets access, whoever signs. */
  technicianId: string;
  loginRequestId: string;
  tenantId: string;
  tenantName: string;
  deviceId: string;
  hostName: string;
  accountKind: AccountKind;
  shownNumber: string;
  durationSeconds: number;
  reason: string | null;
  ticket: string | null;
}

/**
 * What an approver signs the hash of: a domain prefix and the content with its fields in a fixed order. Client and
 * server make it independently; a difference in anything that was shown breaks the signature.
 */
export function approvalMessage(content: ApprovalContent): string {
  const ordered = [
    content.purpose,
    content.technicianId,
    content.loginRequestId,
    content.tenantId,
    content.tenantName,
    content.deviceId,
    content.hostName,
    content.accountKind,
    content.shownNumber,
    content.durationSeconds,
    content.reason,
    content.ticket,
  ];
  return `stint-approval-v2\n${JSON.stringify(ordered)}`;
}
