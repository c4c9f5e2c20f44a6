import { approvalChallenge, isOfEntra, type ApprovalContent } from '@stint/contracts';
import { verifyPasskeyAssertion } from '@stint/crypto';
import { readEvidence, type EvidenceContent, type EvidenceProof, type PasskeyEvidence } from './evidence.ts';
import { inconsistencies, noticed } from './evidence.domain.ts';

/** What a record proves by itself, without Stint. All in sentences for people. */
export interface EvidenceVerdict {
  /** False when anything in the record contradicts itself or a signature does not hold. */
  intact: boolean;
  /** SHA-256 of the file, to compare with what Stint shows for the grant; null when it is no record. */
  sha256: string | null;
  /** The grant it is about; null when it is no record. */
  grantId: string | null;
  /** Signatures that hold, and what they are over. */
  proved: string[];
  /** What rests on Stint's word. */
  notProved: string[];
  /** What an auditor should look at though nothing is forged. */
  noticed: string[];
  /** Why the record must not be believed. */
  wrong: string[];
}

/**
 * Verifies a record of a grant offline: recomputes each approval's challenge from what was shown and checks the passkey's
 * signature over it (WebAuthn Level 3 §7.2), and that the parts fit each other. `origin`: where it must have been signed;
 * without it all must have been signed at one place, which is told.
 */
export async function verifyEvidence(json: string, options: { origin?: string } = {}): Promise<EvidenceVerdict> {
  // An editor's line break at the end of the file is not the record's.
  const read = readEvidence(json.replace(/\r?\n$/, ''));
  if (read === null) return { ...nothing, wrong: ['This is no record of a grant in a format that this version knows.'] };
  const { content, canonical, sha256 } = read;
  const wrong = canonical ? [] : ['The file is not byte for byte as Stint writes records (canonical JSON, RFC 8785): it was changed.'];
  wrong.push(...inconsistencies(content));
  const proved: string[] = [];
  const origins = new Set<string>();
  for (const { who, proof } of signers(content)) {
    const origin = signedAt(proof);
    const failure = await failureOf(proof, options.origin ?? origin);
    if (failure === null) {
      origins.add(origin ?? '');
      proved.push(
        `The passkey ${proof.passkeyId}, recorded as that of ${who}, signed exactly this after PIN, fingerprint or face, at ${origin}: ${shown(proof)}.`,
      );
    } else wrong.push(`The signature of ${who} does not hold (${failure}).`);
  }
  if (origins.size > 1) wrong.push(`The approvals were signed at different places: ${[...origins].join(', ')}.`);
  return {
    ...{ intact: wrong.length === 0, sha256, grantId: content.grant.id },
    ...{ proved, notProved: notProved(content), noticed: noticed(content), wrong },
  };
}

const nothing: EvidenceVerdict = { intact: false, sha256: null, grantId: null, proved: [], notProved: [], noticed: [], wrong: [] };

function signers(content: EvidenceContent): { who: string; proof: PasskeyEvidence }[] {
  const all: { who: string; proof: EvidenceProof }[] = [
    { who: `${content.technician.displayName} <${content.technician.email}>`, proof: content.approval },
    ...content.secondApprovals.map(({ approver, proof }) => ({ who: `${approver.displayName} <${approver.email}>`, proof })),
  ];
  return all.flatMap(({ who, proof }) => (proof.by === 'passkey' ? [{ who, proof }] : []));
}

async function failureOf(proof: PasskeyEvidence, origin: string | null): Promise<string | null> {
  const { passkeyId: id, publicKey, authenticatorData, clientDataJSON, signature } = proof;
  const response = {
    id,
    rawId: id,
    type: 'public-key',
    clientExtensionResults: {},
    response: { authenticatorData, clientDataJSON, signature },
  };
  const rpId = hostName(origin);
  if (origin === null || rpId === null) return 'it does not say where it was made';
  const challenge = approvalChallenge(proof.content).toString('base64url');
  const verdict = await verifyPasskeyAssertion(JSON.stringify(response), { challenge, origin, rpId, passkey: { id, publicKey } });
  return verdict.ok ? null : verdict.failure;
}

function signedAt({ clientDataJSON }: PasskeyEvidence): string | null {
  try {
    const { origin } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { origin?: unknown };
    return typeof origin === 'string' ? origin : null;
  } catch {
    return null;
  }
}

function hostName(origin: string | null): string | null {
  return origin !== null && URL.canParse(origin) ? new URL(origin).hostname : null;
}

function shown({ content }: PasskeyEvidence): string {
  const parts = [
    ...whatFor(content),
    `${content.durationSeconds} s`,
    content.reason === null ? 'no reason' : `reason "${content.reason}"`,
    content.ticket === null ? 'no ticket' : `ticket "${content.ticket}"`,
  ];
  return parts.join(', ');
}

function whatFor(content: ApprovalContent): string[] {
  if (isOfEntra(content))
    return [
      `role ${content.roleName} in Entra`,
      content.scope === '/' ? 'everywhere there' : `for ${content.scope}`,
      `customer ${content.tenantName}`,
      content.accountKind === 'JIT' ? 'an account of its own' : "the technician's own account there",
    ];
  return [
    `number ${content.shownNumber}`,
    `computer ${content.hostName}`,
    `customer ${content.tenantName}`,
    content.accountKind === 'LOCAL' ? 'an account of the computer' : 'an account of its domain',
  ];
}

function notProved(content: EvidenceContent): string[] {
  const people = signers(content).map(({ who }) => who);
  const given: readonly EvidenceContent['secondApprovals'][number][] = content.secondApprovals;
  const unsigned = given.filter(({ proof }) => proof.by === 'unsigned');
  const seenBy = 'login' in content ? 'what the computer did' : 'what was seen in Entra';
  return [
    ...(content.approval.by === 'unsigned'
      ? [
          'login' in content && content.login.method === 'TOTP'
            ? 'That the technician wanted this login: they typed a one-time code (TOTP), which leaves no signature.'
            : `That the technician wanted this ${'login' in content ? 'login' : 'access'}: the record holds no signature by a passkey.`,
        ]
      : []),
    ...unsigned.map(({ approver }) => `That ${approver.displayName} approved: the record holds no signature by a passkey.`),
    ...people.map((who) => `That this passkey belongs to ${who}: compare its id with the one in Stint.`),
    `When it happened, what the rule demanded, and ${seenBy}: Stint recorded that. The audit log, whose chain can be verified, tells of the same events.`,
  ];
}
