import { createHash } from 'node:crypto';
import { approvalMessage, type ApprovalContent } from './approval-content.ts';

/** The 32 bytes that an approver's passkey signs as its challenge: SHA-256 of `approvalMessage`. */
export function approvalChallenge(content: ApprovalContent): Buffer {
  return createHash('sha256').update(approvalMessage(content)).digest();
}

/**
 * An approver's proof, kept with what it was made for so that anybody can check it without Stint: the passkey's COSE
 * public key and what it signed (WebAuthn Level 3 §7.2; all base64url), and the content whose challenge that was.
 */
export interface ApprovalProof {
  by: 'passkey';
  passkeyId: string;
  publicKey: string;
  /** COSE algorithm identifier, for example -7 for ES256. */
  algorithm: number;
  authenticatorData: string;
  clientDataJSON: string;
  signature: string;
  content: ApprovalContent;
}
