import { conflict, invalidInput, Problem, type Id } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';
import type { EntraAccess } from '../grant/grant-target.domain.ts';

export const accessRequestStates = ['PENDING', 'APPROVED', 'DENIED', 'EXPIRED', 'CANCELLED'] as const;
export type AccessRequestState = (typeof accessRequestStates)[number];

/** One person's yes. */
export interface AccessApproval {
  approverId: Id;
  sessionSeconds: number;
  proof: ApprovalProof;
  approvedAt: Date;
}

/** What is asked for: a login at a device, or a role in Entra; a request for the latter has the id of its grant. */
export type RequestTarget = { kind: 'LOGIN'; loginRequestId: Id; deviceId: Id } | ({ kind: 'ENTRA' } & EntraAccess);

/** Access whose rule demands the yes of other people. `needed`, `approverGroupId` and `maxSeconds` are the rule's when it was asked for. */
export interface AccessRequest {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  target: RequestTarget;
  state: AccessRequestState;
  reason: string | null;
  ticket: string | null;
  /** What was asked for, shortened by those who approved so far. */
  sessionSeconds: number;
  ruleId: Id;
  ruleName: string;
  needed: number;
  approverGroupId: Id | null;
  maxSeconds: number;
  /** The requester's own proof; null for a login by TOTP. */
  proof: ApprovalProof | null;
  requestedAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
  endedBy: Id | null;
  endedWhy: string | null;
  /** In their order. */
  approvals: AccessApproval[];
}

/** Who would approve or deny, as they are now. */
export interface Approver {
  id: Id;
  groupIds: readonly Id[];
}

export type AccessRequestCommand =
  /** `sessionSeconds`: a shorter session, or null for what stands. */
  | { do: 'approve'; by: Approver; sessionSeconds: number | null; proof: ApprovalProof }
  | { do: 'deny'; by: Approver; why: string }
  /** `by`: null for the system. */
  | { do: 'cancel'; by: Id | null; why: string }
  | { do: 'expire' };

export const takenBack = 'The requester took it back.';

/** Still waits for approvals at `now`. */
export function isWaiting(request: Pick<AccessRequest, 'state' | 'expiresAt'>, now: Date): boolean {
  return request.state === 'PENDING' && now < request.expiresAt;
}

/** Why this person cannot approve or deny, in words; null when they can. */
export function whyNoApprover(request: Pick<AccessRequest, 'technicianId' | 'approverGroupId'>, by: Approver): string | null {
  if (request.technicianId === by.id) return 'This is your own request: other people decide on it. You can take it back.';
  if (request.approverGroupId !== null && !by.groupIds.includes(request.approverGroupId))
    return 'Only members of the group that the access rule names can decide on this request.';
  return null;
}

/**
 * The request after a command; the same object when the command changes nothing, so that doubled ones do nothing. At
 * the last approval that is needed it is APPROVED. Problem `Conflict` where the caller must be told that it came too late.
 */
export function decideRequest(request: AccessRequest, command: AccessRequestCommand, now: Date): AccessRequest {
  switch (command.do) {
    case 'approve':
      return approve(request, command, now);
    case 'deny':
      assertCanDecide(request, command.by);
      if (request.state === 'DENIED') return request;
      if (!isWaiting(request, now)) throw tooLate(request);
      return ended(request, 'DENIED', now, command.by.id, command.why);
    case 'cancel':
      if (request.state === 'APPROVED') throw conflict('The access is approved already. End its grant instead.');
      return isWaiting(request, now) ? ended(request, 'CANCELLED', now, command.by, command.why) : request;
    case 'expire':
      return request.state === 'PENDING' && !isWaiting(request, now) ? ended(request, 'EXPIRED', now, null, null) : request;
  }
}

/** How long a session this approval is for: what the approver chose, or what stands. Problem `InvalidInput` for a longer one. */
export function approvedSeconds(request: Pick<AccessRequest, 'sessionSeconds'>, asked: number | null): number {
  if (asked === null) return request.sessionSeconds;
  if (!Number.isInteger(asked) || asked < 60 || asked > request.sessionSeconds)
    throw invalidInput(
      'sessionSeconds',
      `sessionSeconds must be a whole number from 60 to ${request.sessionSeconds}: an approver can only shorten.`,
    );
  return asked;
}

function approve(request: AccessRequest, command: Extract<AccessRequestCommand, { do: 'approve' }>, now: Date): AccessRequest {
  assertCanDecide(request, command.by);
  if (hasApproved(request, command.by.id)) return request;
  if (!isWaiting(request, now)) throw tooLate(request);
  const sessionSeconds = approvedSeconds(request, command.sessionSeconds);
  const approval = { approverId: command.by.id, sessionSeconds, proof: command.proof, approvedAt: now };
  const next = { ...request, sessionSeconds, approvals: [...request.approvals, approval] };
  return next.approvals.length < next.needed ? next : ended(next, 'APPROVED', now, null, null);
}

/** Each approver counts once. */
export function hasApproved(request: Pick<AccessRequest, 'approvals'>, approverId: Id): boolean {
  return request.approvals.some((approval) => approval.approverId === approverId);
}

/** Problem `NotAnApprover` for somebody who cannot approve or deny it. */
export function assertCanDecide(request: AccessRequest, by: Approver): void {
  const why = whyNoApprover(request, by);
  if (why !== null) throw new Problem('NotAnApprover', why);
}

function ended(
  request: AccessRequest,
  state: AccessRequestState,
  endedAt: Date,
  endedBy: Id | null,
  endedWhy: string | null,
): AccessRequest {
  return { ...request, state, endedAt, endedBy, endedWhy };
}

const over: Record<AccessRequestState, string> = {
  PENDING: 'has expired',
  EXPIRED: 'has expired',
  APPROVED: 'is approved already',
  DENIED: 'was denied',
  CANCELLED: 'was cancelled',
};

function tooLate(request: AccessRequest): Problem {
  return conflict(`This request ${over[request.state]}. The technician can ask again.`);
}
