import { Problem } from '@stint/kernel';
import { CopyMissing } from '@stint/tenancy';
import { approvalChallenge, type ApprovalContent, type ApprovalProof } from '@stint/contracts';
import { readPasskeyResponse, verifyPasskeyAssertion } from '@stint/crypto';
import type { TechnicianCopy } from '../directory/directory.domain.ts';

/** The proof that `approver` approved exactly `content`, from the browser's `assertion`; Problem `ApprovalInvalid` when it is none. */
export async function checkedProof(
  approver: TechnicianCopy,
  content: ApprovalContent,
  assertion: string,
  publicUrl: string,
): Promise<ApprovalProof> {
  const asserted = readPasskeyResponse(assertion);
  const passkey = approver.keys.find(({ id }) => id === asserted?.passkeyId);
  if (asserted === null) throw approvalInvalid();
  // A passkey's id does not tell when it was made, but the first one of somebody who joined a moment ago may be on its way.
  if (passkey === undefined) throw new CopyMissing([approver.id], approvalInvalid());
  const challenge = approvalChallenge(content).toString('base64url');
  const { origin, hostname: rpId } = new URL(publicUrl);
  const verdict = await verifyPasskeyAssertion(assertion, { challenge, origin, rpId, passkey });
  if (!verdict.ok) throw approvalInvalid(verdict.failure === 'user-verification');
  const { response } = JSON.parse(assertion) as { response: Record<'authenticatorData' | 'clientDataJSON' | 'signature', string> };
  const { authenticatorData, clientDataJSON, signature } = response;
  return {
    ...{ by: 'passkey', passkeyId: passkey.id, publicKey: passkey.publicKey, algorithm: passkey.algorithm },
    ...{ authenticatorData, clientDataJSON, signature, content },
  };
}

function approvalInvalid(unverified = false): Problem {
  if (unverified)
    return new Problem(
      'ApprovalInvalid',
      'The passkey did not check who you are. Use one with a PIN, fingerprint or face, and approve again.',
    );
  return new Problem(
    'ApprovalInvalid',
    'The signature does not fit what would be approved. Read the request again and sign what it shows now.',
  );
}
