import { createHash } from 'node:crypto';

/** What a technician was shown before approving a login, and what they chose. The approval's signature covers all of it. */
export interface ApprovalContent {
  loginRequestId: string;
  tenantId: string;
  tenantName: string;
  deviceId: string;
  hostName: string;
  shownNumber: string;
  durationSeconds: number;
  reason: string | null;
  ticket: string | null;
}

/**
 * The 32 bytes that an approver's key signs: SHA-256 over a domain prefix and the content with its fields in a fixed
 * order. Client and server compute it independently; a difference in anything that was shown breaks the signature.
 */
export function approvalChallenge(content: ApprovalContent): Buffer {
  const ordered = [
    content.loginRequestId,
    content.tenantId,
    content.tenantName,
    content.deviceId,
    content.hostName,
    content.shownNumber,
    content.durationSeconds,
    content.reason,
    content.ticket,
  ];
  return createHash('sha256').update('stint-approval-v1\n').update(JSON.stringify(ordered)).digest();
}
