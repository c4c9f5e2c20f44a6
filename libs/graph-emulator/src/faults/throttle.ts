import type { Clock } from '@stint/kernel';
import { GraphError } from '../http/answer.ts';

/** How much an app may use of a tenant: resource units within a time ("Microsoft Graph service-specific throttling limits"). */
export interface ThrottleLimit {
  units: number;
  seconds: number;
}

/** Resource units that each app has used of each tenant. Refused calls count too. */
export class Throttle {
  readonly #clock: Clock;
  readonly #used = new Map<string, { at: number; units: number }[]>();
  limit: ThrottleLimit;

  constructor(clock: Clock, limit: ThrottleLimit) {
    this.#clock = clock;
    this.limit = limit;
  }

  /** Counts a call, or refuses it with 429. Answers the headers that tell how much is used. */
  count(tenantId: string, clientId: string, units: number): Record<string, string> {
    const now = this.#clock.now().getTime();
    const key = `${clientId}/${tenantId}`;
    const since = now - this.limit.seconds * 1000;
    const recent = (this.#used.get(key) ?? []).filter(({ at }) => at > since);
    recent.push({ at: now, units });
    this.#used.set(key, recent);
    const total = recent.reduce((sum, one) => sum + one.units, 0);
    const share = total / this.limit.units;
    const headers = { 'x-ms-resource-unit': String(units), ...(share > 0.8 ? { 'x-ms-throttle-limit-percentage': share.toFixed(1) } : {}) };
    if (share <= 1) return headers;
    const waitSeconds = Math.max(1, Math.ceil(((recent[0]?.at ?? now) + this.limit.seconds * 1000 - now) / 1000));
    throw new GraphError(429, 'TooManyRequests', 'Too many requests.', {
      headers: {
        ...headers,
        'retry-after': String(waitSeconds),
        'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${clientId}/${tenantId}`,
        'x-ms-throttle-information': 'ResourceUnitLimitExceeded',
      },
    });
  }
}
