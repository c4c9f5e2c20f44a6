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
export interface PasskeyProof {
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

/** What a command line tool signs, as long as people still have keys beside passkeys. */
export type KeyApprovalContent = Omit<ApprovalContent, 'purpose' | 'technicianId' | 'accountKind'>;

/** The proof of an approval by such a key: `x` of its Ed25519 JWK. */
export interface KeyProof {
  by: 'key';
  keyId: string;
  x: string;
  signature: string;
}

/** The proof of an approval. */
export type ApprovalProof = PasskeyProof | KeyProof;

/** The 32 bytes that such a key signs. Goes away with the keys. */
export function keyApprovalChallenge(content: KeyApprovalContent): Buffer {
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
