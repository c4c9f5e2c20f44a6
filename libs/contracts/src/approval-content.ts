// Runs in browsers too: imports nothing.

/** What an account is an account of: the computer, or its domain. */
export type AccountKind = 'LOCAL' | 'DOMAIN';

/** Which account in Entra gets the role: one that Stint makes for the technician, or one that they have there already. */
export type EntraAccountKind = 'JIT' | 'OWN';

/**
 * What somebody was shown before approving a login, and what they chose. Their passkey's signature covers all of it.
 * `login`: the technician who gets access; `second-approval`: another person, where an access rule demands it.
 */
export interface LoginApprovalContent {
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
 * The same of access in Entra. `entra-access`: the technician who gets it, as they ask for it; `entra-second-approval`:
 * another person, where an access rule demands it.
 */
export interface EntraApprovalContent {
  purpose: 'entra-access' | 'entra-second-approval';
  /** Who gets access, whoever signs. */
  technicianId: string;
  grantId: string;
  tenantId: string;
  tenantName: string;
  /** The role's display name. */
  roleName: string;
  /** Where in the Entra tenant it counts (Graph's `directoryScopeId`). */
  scope: string;
  accountKind: EntraAccountKind;
  /** The X25519 public key (base64url) to which the one-time credential is sealed. */
  recipientKey: string;
  durationSeconds: number;
  reason: string | null;
  ticket: string | null;
}

/** What a passkey's signature over an approval covers. */
export type ApprovalContent = LoginApprovalContent | EntraApprovalContent;

/**
 * What an approver signs the hash of: a domain prefix and the content with its fields in a fixed order, the purpose first.
 * Client and server make it independently; a difference in anything that was shown breaks the signature.
 */
export function approvalMessage(content: ApprovalContent): string {
  return `stint-approval-v2\n${JSON.stringify(isOfEntra(content) ? entraFields(content) : loginFields(content))}`;
}

/** Is it about access in Entra? */
export function isOfEntra(content: ApprovalContent): content is EntraApprovalContent {
  return content.purpose === 'entra-access' || content.purpose === 'entra-second-approval';
}

function loginFields(content: LoginApprovalContent): unknown[] {
  return [
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
}

function entraFields(content: EntraApprovalContent): unknown[] {
  return [
    content.purpose,
    content.technicianId,
    content.grantId,
    content.tenantId,
    content.tenantName,
    content.roleName,
    content.scope,
    content.accountKind,
    content.recipientKey,
    content.durationSeconds,
    content.reason,
    content.ticket,
  ];
}
