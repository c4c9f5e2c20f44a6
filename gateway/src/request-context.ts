import { randomUUID } from 'node:crypto';
import type { Principal } from '@stint/contracts';

/** What the gateway knows of one request: GraphQL's context. */
export interface RequestContext {
  readonly principal: Principal;
  /** Finds the request in every process's logs; the trace id of `traceparent` (W3C Trace Context). Always the gateway's own: nothing of the client's is believed. */
  readonly correlationId: string;
}

// Node keeps a pool of random bytes for UUIDs alone: several times cheaper than asking for bytes each time.
export function newCorrelationId(): string {
  return randomUUID().replaceAll('-', '');
}

/** `traceparent` for one call to a subgraph, with a span id of its own. */
export function traceparent(correlationId: string): string {
  return `00-${correlationId}-${newCorrelationId().slice(0, 16)}-01`;
}

export const anonymous: Principal = { kind: 'anonymous' };
export const gatewayItself: Principal = { kind: 'gateway' };
