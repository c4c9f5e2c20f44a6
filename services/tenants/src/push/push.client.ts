import webPush from 'web-push';
import { isPushAddress, payloadOf, type PushAnswer, type TakenDelivery } from './push.domain.ts';
import type { VapidKey } from './vapid.ts';

const timeoutMs = 10_000;

/** The network side of Web Push (RFC 8030, 8291, 8292). Never called inside a transaction. */
export class PushClient {
  readonly #key: VapidKey;
  readonly #subject: string;
  readonly #hosts: readonly string[];

  /** `subject`: a mailto: or https: address by which push services reach who runs this. */
  constructor(key: VapidKey, subject: string, hosts: readonly string[]) {
    this.#key = key;
    this.#subject = subject;
    this.#hosts = hosts;
  }

  /** Sends it once; for as long as the login waits, and the newest one of a login only. Never throws for what the push service does. */
  async send(delivery: TakenDelivery, now: Date, stopping: AbortSignal): Promise<PushAnswer & { why: string }> {
    const { endpoint, p256dh, auth } = delivery.subscription;
    // The list may have changed since the browser was taken on.
    if (!isPushAddress(endpoint, this.#hosts)) return { status: 403, retryAfter: null, why: 'address not allowed' };
    const request = webPush.generateRequestDetails({ endpoint, keys: { p256dh, auth } }, JSON.stringify(payloadOf(delivery)), {
      vapidDetails: { subject: this.#subject, ...this.#key },
      TTL: Math.max(1, Math.floor((delivery.expiresAt.getTime() - now.getTime()) / 1000)),
      urgency: 'high',
      topic: delivery.loginRequestId.replaceAll('-', ''),
      contentEncoding: 'aes128gcm',
    });
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
        body: new Uint8Array(request.body ?? Buffer.alloc(0)),
        redirect: 'manual',
        signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      const retryAfter = Number(response.headers.get('retry-after'));
      return { status: response.status, retryAfter: retryAfter > 0 ? retryAfter : null, why: `status ${response.status}` };
    } catch {
      // The error may name the address, which is a secret of the browser's.
      return { status: null, retryAfter: null, why: 'no answer' };
    }
  }
}
