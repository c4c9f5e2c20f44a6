import { conflict, addSeconds, type Id } from '@stint/kernel';
import type { AccountKind } from '@stint/contracts';
import type { Grant } from '../grant/grant.domain.ts';

export const loginLifeSeconds = 120;
/** Logins that wait at one device at the same time: more than its agent lets in from all services together (10 each). */
export const mostPending = 64;

export type LoginMethod = 'QR' | 'TOTP' | 'PUSH' | 'OFFLINE';
export const storedLoginStates = ['PENDING', 'AWAITING_APPROVAL', 'APPROVED', 'DENIED', 'EXPIRED', 'FAILED'] as const;
export type StoredLoginState = (typeof storedLoginStates)[number];
/** As clients see it: an approved login follows its grant. */
export type LoginState = StoredLoginState | 'ACTIVE' | 'ENDED';

/** One attempt to log in to a device. What is shown and signed was copied when it was made. */
export interface LoginRequest {
  mspId: Id;
  tenantId: Id;
  id: Id;
  deviceId: Id;
  method: LoginMethod;
  state: StoredLoginState;
  failure: string | null;
  codeHash: Buffer | null;
  shownNumber: string;
  hostName: string;
  tenantName: string;
  sessionSeconds: number;
  /** Which accounts it may be for, and which it is for: the first, unless another is chosen. */
  accountKinds: readonly AccountKind[];
  accountKind: AccountKind;
  /** Why no account in the domain is offered where the settings would have one. */
  domainObstacle: string | null;
  startedAt: Date;
  expiresAt: Date;
  /** PUSH: the technician whose phone was asked; null before it was decided whom to ask, and when nobody was. */
  askedTechnicianId: Id | null;
}

export type LoginCommand =
  | { do: 'approve'; sessionSeconds: number }
  /** Its technician approved it, and the access rule demands the yes of other people, until `until`. */
  | { do: 'await-approval'; sessionSeconds: number; until: Date }
  /** The other people approved it too. */
  | { do: 'approve-awaited'; sessionSeconds: number }
  /** One of them denied it. */
  | { do: 'deny-awaited' }
  | { do: 'deny' }
  /** The one who was asked says that it was not them; also of one that is over. */
  | { do: 'disown' }
  /** The device gives it up. */
  | { do: 'cancel' }
  /** The device starts another one, for which it must make way. */
  | { do: 'supersede' }
  /** It cannot be done: `why`, in words. */
  | { do: 'fail'; why: string }
  | { do: 'expire' };

export const cancelledAtComputer = 'It was cancelled at the computer.';
export const superseded = 'Another login was started at the computer.';

/** A new request of a device. */
export function startedLogin(
  about: Omit<LoginRequest, 'state' | 'failure' | 'startedAt' | 'expiresAt' | 'askedTechnicianId'>,
  now: Date,
): LoginRequest {
  return {
    ...about,
    state: 'PENDING',
    failure: null,
    startedAt: now,
    expiresAt: addSeconds(now, loginLifeSeconds),
    askedTechnicianId: null,
  };
}

/** Still waits for an approval or a code at `now`. */
export function isPending(request: Pick<LoginRequest, 'state' | 'expiresAt'>, now: Date): boolean {
  return request.state === 'PENDING' && now < request.expiresAt;
}

/** A device sees its own logins; a PUSH login that waits is seen by nobody else than whom it asks. */
export function isShownTo(
  request: Pick<LoginRequest, 'deviceId' | 'method' | 'state' | 'askedTechnicianId'>,
  who: { kind: string; id: Id },
): boolean {
  if (who.kind === 'device') return request.deviceId === who.id;
  return request.method !== 'PUSH' || request.state !== 'PENDING' || request.askedTechnicianId === who.id;
}

/** Approved by its technician, and still waits for other people at `now`. */
export function isAwaited(request: Pick<LoginRequest, 'state' | 'expiresAt'>, now: Date): boolean {
  return request.state === 'AWAITING_APPROVAL' && now < request.expiresAt;
}

/**
 * The request after a command; the same object when the command changes nothing. Problem `Conflict` where the caller
 * must be told that it came too late. A cancelled or superseded login is FAILED with its reason in words.
 */
export function decideLogin(request: LoginRequest, command: LoginCommand, now: Date): LoginRequest {
  const pending = isPending(request, now);
  const awaited = isAwaited(request, now);
  const failed = (why: string): LoginRequest => ({ ...request, state: 'FAILED', failure: why });
  switch (command.do) {
    case 'approve':
      if (!pending) throw tooLate(request);
      return { ...request, state: 'APPROVED', sessionSeconds: command.sessionSeconds };
    case 'await-approval':
      if (!pending) throw tooLate(request);
      return { ...request, state: 'AWAITING_APPROVAL', sessionSeconds: command.sessionSeconds, expiresAt: command.until };
    case 'approve-awaited':
      if (!awaited) throw tooLate(request);
      return { ...request, state: 'APPROVED', sessionSeconds: command.sessionSeconds };
    case 'deny':
      if (request.state === 'DENIED') return request;
      if (!pending) throw tooLate(request);
      return { ...request, state: 'DENIED' };
    case 'disown':
      // Who has approved it cannot say that: they end the grant, or take the access request back.
      if (request.state === 'APPROVED' || request.state === 'AWAITING_APPROVAL') throw tooLate(request);
      return pending ? { ...request, state: 'DENIED' } : request;
    case 'deny-awaited':
      if (!awaited) throw tooLate(request);
      return { ...request, state: 'DENIED' };
    case 'cancel':
      if (request.state === 'APPROVED') throw conflict('The login is approved already. End its grant instead.');
      return pending || awaited ? failed(cancelledAtComputer) : request;
    case 'supersede':
      // One that its technician approved already does not make way.
      return pending ? failed(superseded) : request;
    case 'fail':
      return pending || awaited ? failed(command.why) : request;
    case 'expire':
      return isWaiting(request) && !pending && !awaited ? { ...request, state: 'EXPIRED' } : request;
  }
}

function isWaiting({ state }: LoginRequest): boolean {
  return state === 'PENDING' || state === 'AWAITING_APPROVAL';
}

const over: Record<StoredLoginState, string> = {
  PENDING: 'has expired',
  AWAITING_APPROVAL: 'waits for the approval of other people',
  EXPIRED: 'has expired',
  APPROVED: 'is approved already',
  DENIED: 'was denied',
  FAILED: 'was given up',
};

function tooLate(request: LoginRequest) {
  return conflict(`This login ${over[request.state]}. Start a new one at the computer.`);
}

/** State and failure as clients see them: a login whose grant never became active is FAILED; ENDED means seen to have ended. */
export function shownLogin(request: LoginRequest, grant: Grant | null, now: Date): { state: LoginState; failure: string | null } {
  if (isWaiting(request) && now >= request.expiresAt) return { state: 'EXPIRED', failure: null };
  if (request.state !== 'APPROVED' || grant === null) return { state: request.state, failure: request.failure };
  switch (grant.state) {
    case 'APPROVED':
    case 'ACTIVE':
      return { state: grant.state, failure: null };
    case 'FAILED':
      return { state: 'FAILED', failure: grant.failure };
    case 'ENDING':
    case 'END_STUCK':
    case 'ENDED':
      if (grant.endReason === 'NOT_ACTIVATED') return { state: 'FAILED', failure: 'The computer did not make the account in time.' };
      if (grant.state === 'ENDED') return { state: 'ENDED', failure: null };
      return { state: grant.activeAt === null ? 'APPROVED' : 'ACTIVE', failure: null };
  }
}
