import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { entraAccountKinds, id } from '@stint/contracts';

const at = z.iso.datetime();
const seconds = z.int().min(0);

const person = z.strictObject({ id, displayName: z.string(), email: z.string() });
/** A technician as the record names them. */
export type EvidencePerson = z.infer<typeof person>;

/** What the passkey's owner was shown: `LoginApprovalContent` of @stint/contracts, field by field. */
const loginContent = z.strictObject({
  purpose: z.enum(['login', 'second-approval']),
  technicianId: id,
  loginRequestId: id,
  tenantId: id,
  tenantName: z.string(),
  deviceId: id,
  hostName: z.string(),
  accountKind: z.enum(['LOCAL', 'DOMAIN']),
  shownNumber: z.string(),
  durationSeconds: seconds,
  reason: z.string().nullable(),
  ticket: z.string().nullable(),
});

/** `EntraApprovalContent` of @stint/contracts, field by field. */
const entraContent = z.strictObject({
  purpose: z.enum(['entra-access', 'entra-second-approval']),
  technicianId: id,
  grantId: id,
  tenantId: id,
  tenantName: z.string(),
  roleName: z.string(),
  scope: z.string(),
  accountKind: z.enum(entraAccountKinds),
  recipientKey: z.string(),
  durationSeconds: seconds,
  reason: z.string().nullable(),
  ticket: z.string().nullable(),
});

const passkeyProof = <Content extends z.ZodType>(content: Content) =>
  z.strictObject({
    by: z.literal('passkey'),
    passkeyId: z.string(),
    publicKey: z.string(),
    algorithm: z.int(),
    authenticatorData: z.string(),
    clientDataJSON: z.string(),
    signature: z.string(),
    content,
  });
/** Somebody's approval, exactly as they signed it; `unsigned` is one that left no signature by a passkey. */
const proof = <Content extends z.ZodType>(content: Content) =>
  z.discriminatedUnion('by', [passkeyProof(content), z.strictObject({ by: z.literal('unsigned') })]);

const loginProof = proof(loginContent);
const entraProof = proof(entraContent);
export type LoginProof = z.infer<typeof loginProof>;
export type EntraProof = z.infer<typeof entraProof>;
export type EvidenceProof = LoginProof | EntraProof;
export type PasskeyEvidence = Extract<EvidenceProof, { by: 'passkey' }>;

const grant = {
  id,
  state: z.enum(['APPROVED', 'ACTIVE', 'ENDING', 'ENDED', 'END_STUCK', 'FAILED']),
  reason: z.string().nullable(),
  ticket: z.string().nullable(),
  approvedAt: at,
  /** How long a session was approved, before any change. */
  approvedSeconds: seconds,
};

const session = {
  activeAt: at.nullable(),
  expiresAt: at.nullable(),
  endingAt: at.nullable(),
  endedAt: at.nullable(),
  endReason: z.string().nullable(),
  endedBy: z.strictObject({ kind: z.string(), id, displayName: z.string().nullable() }).nullable(),
  failure: z.string().nullable(),
};

const secondApprovals = <Content extends z.ZodType>(content: Content) =>
  z.array(z.strictObject({ approver: person, sessionSeconds: seconds, approvedAt: at, proof: proof(content) }));

const common = {
  technician: person,
  tenant: z.strictObject({ id, name: z.string() }),
  /** The access rule and its thresholds, as they were copied when it decided. */
  rule: z.strictObject({
    id: id.nullable(),
    name: z.string().nullable(),
    maxSeconds: seconds,
    approvals: z.int().min(0),
    approverGroupId: id.nullable(),
  }),
  /** Extensions (positive) and shortenings (negative), in their order. */
  changes: z.array(z.strictObject({ id, seconds: z.int(), at, by: z.strictObject({ id, displayName: z.string().nullable() }).nullable() })),
};

const deviceEvidence = z.strictObject({
  format: z.literal('stint-grant-evidence/1'),
  ...common,
  grant: z.strictObject({ ...grant, accountName: z.string() }),
  device: z.strictObject({ id, hostName: z.string() }),
  /** The login as the computer and the phone showed it. */
  login: z.strictObject({
    id,
    method: z.string(),
    shownNumber: z.string(),
    hostName: z.string(),
    tenantName: z.string(),
    startedAt: at,
  }),
  approval: loginProof,
  secondApprovals: secondApprovals(loginContent),
  session: z.strictObject({ ...session, idleEndSeconds: seconds }),
  privilegedChanges: z.array(z.strictObject({ groupName: z.string(), added: z.array(z.string()), removed: z.array(z.string()) })),
});
/** The record of a grant on a device. */
export type DeviceEvidence = z.infer<typeof deviceEvidence>;

const entraEvidence = z.strictObject({
  format: z.literal('stint-entra-evidence/1'),
  ...common,
  /** `accountName` is null when the account was never seen. */
  grant: z.strictObject({ ...grant, accountName: z.string().nullable() }),
  /** What was asked for, as it was shown. */
  asked: z.strictObject({
    at,
    tenantName: z.string(),
    roleName: z.string(),
    scope: z.string(),
    accountKind: z.enum(entraAccountKinds),
    recipientKey: z.string(),
  }),
  approval: entraProof,
  secondApprovals: secondApprovals(entraContent),
  session: z.strictObject(session),
});
/** The record of a grant in Entra. */
export type EntraEvidence = z.infer<typeof entraEvidence>;

/** The record of one grant. Times are instants of Stint's clock; those of the session are reports of the computer, or of what was read in Entra, resolved. */
export const evidenceContent = z.discriminatedUnion('format', [deviceEvidence, entraEvidence]);
export type EvidenceContent = z.infer<typeof evidenceContent>;

/** A record as it is handed out. */
export interface CanonicalEvidence {
  /** RFC 8785: the same record is always the same bytes. */
  json: string;
  /** SHA-256 of these bytes, in hexadecimal. */
  sha256: string;
}

/** The record in its canonical form (RFC 8785) with its hash. Throws when a field does not fit the format. */
export function canonicalEvidence(content: EvidenceContent): CanonicalEvidence {
  const json = canonicalize(evidenceContent.parse(content)) ?? '';
  return { json, sha256: sha256(json) };
}

/** What a file says, and whether its bytes are the canonical ones. Null when it is no record of this format. */
export function readEvidence(json: string): { content: EvidenceContent; canonical: boolean; sha256: string } | null {
  try {
    const content = evidenceContent.parse(JSON.parse(json));
    // Also finds fields that are there twice: what one reader sees and another does not.
    return { content, canonical: canonicalize(content) === json, sha256: sha256(json) };
  } catch {
    return null;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
