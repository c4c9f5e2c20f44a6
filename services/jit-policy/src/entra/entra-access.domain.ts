import { z } from 'zod';
import { conflict, Problem, type Id } from '@stint/kernel';
import {
  approvalChallenge,
  entraAccountKinds,
  entraScope,
  hpkePublicKey,
  id,
  isOfEntra,
  line,
  reason,
  ticket,
  type ApprovalProof,
  type EntraApprovalContent,
} from '@stint/contracts';
import { longestSeconds } from '../access-rule/access-rule.domain.ts';

/** What somebody sends to ask for access in Entra. */
export const entraAsk = z.object({
  id,
  tenantId: z.string(),
  roleName: line(100),
  scope: entraScope.nullish().transform((scope) => scope ?? '/'),
  accountKind: z.enum(entraAccountKinds),
  sessionSeconds: z.int().min(60, 'must be at least 60').max(longestSeconds, `must be at most ${longestSeconds}`),
  reason: reason.nullish().transform((text) => text ?? null),
  ticket: ticket.nullish().transform((text) => text ?? null),
  recipientKey: hpkePublicKey,
  assertion: z.string(),
});
export type EntraAsk = z.infer<typeof entraAsk>;

/** What the technician must have signed to ask for it. */
export function askedContent(ask: EntraAsk, technicianId: Id, tenantName: string): EntraApprovalContent {
  return {
    purpose: 'entra-access',
    technicianId,
    grantId: ask.id,
    tenantId: ask.tenantId,
    tenantName,
    roleName: ask.roleName,
    scope: ask.scope,
    accountKind: ask.accountKind,
    recipientKey: ask.recipientKey,
    durationSeconds: ask.sessionSeconds,
    reason: ask.reason,
    ticket: ask.ticket,
  };
}

/** What another person must have signed for a session of `durationSeconds`: what was asked for, with the customer's name as it was then. */
export function secondContent(asked: EntraApprovalContent, durationSeconds: number): EntraApprovalContent {
  return { ...asked, purpose: 'entra-second-approval', durationSeconds };
}

/** What the technician signed when they asked. */
export function signedForEntra(proof: ApprovalProof | null): EntraApprovalContent {
  if (proof === null || !isOfEntra(proof.content)) throw new Error('Access in Entra is asked for by passkey, over what it is about.');
  return proof.content;
}

/** The same id again is the same call, whatever the customer is called by now; Problem `Conflict` when it asks for something else. */
export function assertSameAsk(ask: EntraAsk, technicianId: Id, proof: ApprovalProof | null): void {
  const signed = proof !== null && isOfEntra(proof.content) ? proof.content : null;
  const same = signed !== null && approvalChallenge(askedContent(ask, technicianId, signed.tenantName)).equals(approvalChallenge(signed));
  if (!same) throw idTaken();
}

export function idTaken(): Problem {
  return conflict('This id was used for something else before. Ask again with a fresh id.');
}

/** Our copy of a tenant's connection to Entra. */
export interface EntraConnection {
  usable: boolean;
  /** Why not, in words for a technician. */
  problem: string | null;
}

/** Problem `EntraNotConnected` where access could not be given now. */
export function assertUsable(connection: EntraConnection | null): void {
  if (connection?.usable === true) return;
  const why = connection?.problem ?? "This customer's Entra tenant is not connected to Stint. An administrator can connect it.";
  throw new Problem('EntraNotConnected', why);
}
