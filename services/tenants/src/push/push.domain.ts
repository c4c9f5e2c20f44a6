import { ECDH } from 'node:crypto';
import { addSeconds, conflict, invalidInput, type Id } from '@stint/kernel';

export const maxPushSubscriptions = 10;
/** A sender that has not recorded a result for so long has died. */
export const leaseSeconds = 30;

/** A browser that a technician wants to be told in. */
export interface PushSubscription {
  mspId: Id;
  tenantId: Id;
  id: Id;
  technicianId: Id;
  sessionId: Id;
  endpoint: string;
  p256dh: string;
  auth: string;
  createdAt: Date;
}

/** A push message that somebody has taken to send it, with where it goes. `attempts` counts this one. */
export interface TakenDelivery {
  mspId: Id;
  id: Id;
  loginRequestId: Id;
  expiresAt: Date;
  attempts: number;
  subscription: Pick<PushSubscription, 'id' | 'endpoint' | 'p256dh' | 'auth'>;
}

/** What the browser shows. */
export interface PushPayload {
  title: string;
  body: string;
  tag: Id;
}

/** What a push service answered; `status` null: nothing. */
export interface PushAnswer {
  status: number | null;
  /** In seconds, where it says so. */
  retryAfter: number | null;
}

export type PushOutcome = { state: 'SENT' } | { state: 'FAILED' } | { state: 'GONE' } | { state: 'PENDING'; dueAt: Date };

/**
 * Whether push messages may be sent to this address: https on the default port at one of `hosts`, or, for tests, exactly an
 * origin that is named there with its scheme. `*.` stands for any subdomain.
 */
export function isPushAddress(address: string, hosts: readonly string[]): boolean {
  const url = URL.parse(address);
  if (url === null || address.length > 1_000 || url.username !== '' || url.password !== '') return false;
  if (hosts.includes(url.origin)) return true;
  if (url.protocol !== 'https:' || url.port !== '') return false;
  return hosts.some((host) => (host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host));
}

/** Checks what a browser's PushSubscription holds; Problem `InvalidInput`. */
export function checkSubscription(input: { endpoint: string; p256dh: string; auth: string }, hosts: readonly string[]): void {
  if (!isPushAddress(input.endpoint, hosts)) throw invalidInput('endpoint', 'endpoint must be the address of a known push service.');
  if (!isPoint(input.p256dh)) throw invalidInput('p256dh', 'p256dh must be the key `p256dh` of the subscription, in base64url.');
  if (bytes(input.auth).length !== 16) throw invalidInput('auth', 'auth must be the key `auth` of the subscription, in base64url.');
}

/** Anybody may read a lock screen: no name of a customer, computer or person is in it. The app shows them, to whom it asks. */
export function payloadOf({ loginRequestId }: Pick<TakenDelivery, 'loginRequestId'>): PushPayload {
  return { title: 'Is it you who logs in?', body: 'Open Stint to see where, and to answer.', tag: loginRequestId };
}

/** Problem `Conflict` when there is no room for another one. */
export function assertRoom(count: number): void {
  if (count >= maxPushSubscriptions) throw conflict(`There are ${maxPushSubscriptions} browsers already. Remove one first.`);
}

/** What becomes of a delivery after an answer (RFC 8030 §5, §7.3; RFC 6585 for 429). */
export function outcomeOf(
  delivery: Pick<TakenDelivery, 'attempts' | 'expiresAt'>,
  { status, retryAfter }: PushAnswer,
  now: Date,
): PushOutcome {
  if (status !== null && status >= 200 && status < 300) return { state: 'SENT' };
  if (status === 404 || status === 410) return { state: 'GONE' };
  if (status !== null && status < 500 && status !== 408 && status !== 429) return { state: 'FAILED' };
  const dueAt = addSeconds(now, Math.max(retryAfter ?? 0, 2 ** Math.min(delivery.attempts - 1, 5)));
  return dueAt < delivery.expiresAt ? { state: 'PENDING', dueAt } : { state: 'FAILED' };
}

function isPoint(text: string): boolean {
  const point = bytes(text);
  if (point.length !== 65 || point[0] !== 4) return false;
  try {
    ECDH.convertKey(point, 'prime256v1');
    return true;
  } catch {
    return false; // not on the curve
  }
}

function bytes(text: string): Buffer {
  return /^[A-Za-z0-9_-]{1,100}=*$/.test(text) ? Buffer.from(text, 'base64url') : Buffer.alloc(0);
}
