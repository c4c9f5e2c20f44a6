import { startAuthentication } from '@simplewebauthn/browser';
import { approvalMessage, type ApprovalContent } from '@stint/contracts/approval-content';
import type { ApproverFragment } from '../generated/operations.ts';
import { base64url } from './dpop.ts';

/** Signs with a passkey exactly what was shown: the challenge is the hash of it, reckoned here and not taken from the server. Answers the assertion as JSON. */
export async function signApproval(content: ApprovalContent, { technician }: ApproverFragment): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(approvalMessage(content)));
  const response = await startAuthentication({
    optionsJSON: {
      challenge: base64url(new Uint8Array(hash)),
      rpId: location.hostname,
      userVerification: 'required',
      allowCredentials: (technician?.passkeys ?? []).map(({ credentialId: id }) => ({ id, type: 'public-key' })),
    },
  });
  return JSON.stringify(response);
}
