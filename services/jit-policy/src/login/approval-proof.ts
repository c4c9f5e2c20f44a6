import { isId, Problem } from '@stint/kernel';
import { approvalChallenge, keyApprovalChallenge, type ApprovalContent, type ApprovalProof } from '@stint/contracts';
import { publicKeyFromX, readPasskeyResponse, verifyDetached, verifyPasskeyAssertion } from '@stint/crypto';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { CopyMissing } from '../directory/directory.service.ts';

/** How somebody proves that they approve. */
export interface ProofInput {
  assertion?: string | null | undefined;
  keyId?: string | null | undefined;
  signature?: string | null | undefined;
}

/** The proof that `approver` approved exactly `content`; Problem `ApprovalInvalid` when it is none. */
export async function checkedProof(
  approver: TechnicianCopy,
  content: ApprovalContent,
  input: ProofInput,
  publicUrl: string,
): Promise<ApprovalProof> {
  if (input.assertion == null) return byKey(approver, content, input);
  const asserted = readPasskeyResponse(input.assertion);
  const passkey = approver.keys.find(({ id }) => !isId(id) && id === asserted?.passkeyId);
  if (asserted === null) throw approvalInvalid();
  // A passkey's id does not tell when it was made, but the first one of somebody who joined a moment ago may be on its way.
  if (passkey === undefined) throw new CopyMissing([approver.id], approvalInvalid());
  const challenge = approvalChallenge(content).toString('base64url');
  const { origin, hostname: rpId } = new URL(publicUrl);
  const verdict = await verifyPasskeyAssertion(input.assertion, { challenge, origin, rpId, passkey });
  if (!verdict.ok) throw approvalInvalid(verdict.failure === 'user-verification');
  const { response } = JSON.parse(input.assertion) as { response: Record<'authenticatorData' | 'clientDataJSON' | 'signature', string> };
  const { authenticatorData, clientDataJSON, signature } = response;
  return {
    ...{ by: 'passkey', passkeyId: passkey.id, publicKey: passkey.publicKey, algorithm: passkey.algorithm },
    ...{ authenticatorData, clientDataJSON, signature, content },
  };
}

/** By a key of the command line tool: its id is one of ours, those of passkeys are their authenticators'. Goes away with such keys, and `keyId` and `signature` of the input with it. */
function byKey(approver: TechnicianCopy, content: ApprovalContent, { keyId, signature }: ProofInput): ApprovalProof {
  const key = isId(keyId) ? approver.keys.find(({ id }) => id === keyId) : undefined;
  // A key that was registered a moment ago may not have arrived here yet.
  if (key === undefined) throw new CopyMissing(isId(keyId) ? [keyId] : [], approvalInvalid());
  if (!verifyDetached(publicKeyFromX(key.publicKey), keyApprovalChallenge(content), signature ?? '')) throw approvalInvalid();
  return { by: 'key', keyId: key.id, x: key.publicKey, signature: signature ?? '' };
}

function approvalInvalid(unverified = false): Problem {
  if (unverified)
    return new Problem(
      'ApprovalInvalid',
      'The passkey did not check who you are. Use one with a PIN, fingerprint or face, and approve again.',
    );
  return new Problem(
    'ApprovalInvalid',
    'The signature does not fit what would be approved. Read the login request again and sign what it shows now.',
  );
}
