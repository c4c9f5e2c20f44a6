import type { Answer } from './answer.ts';

/** A request as it came in. The body is what JSON or the form says, or the text where it is neither. */
export interface IncomingRequest {
  method: string;
  /** Path and query as they were sent. */
  target: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: unknown;
}

/** One request and what it was answered. Bearer tokens, client secrets, assertions and what signs people in are left out. */
export interface Exchange {
  at: Date;
  method: string;
  /** Path and query as they were sent, from /v1.0 or /login on. */
  url: string;
  requestHeaders: Record<string, string>;
  requestBody: unknown;
  /** Null: the connection was cut instead. */
  status: number | null;
  responseHeaders: Record<string, string>;
  responseBody: unknown;
  /** Part of a $batch, which is an exchange of its own. */
  batched: boolean;
}

const formSecrets = ['client_secret', 'client_assertion', 'pass', 'password'];

/** What is kept of a request and its answer. */
export function exchangeOf(at: Date, request: IncomingRequest, answer: Answer | 'RESET', batched: boolean): Exchange {
  const { authorization: _, ...requestHeaders } = request.headers;
  const { status, headers = {}, body } = answer === 'RESET' ? { status: null } : answer;
  return {
    at,
    method: request.method,
    url: request.target,
    requestHeaders,
    requestBody: request.body instanceof URLSearchParams ? withoutSecrets(request.body) : structuredClone(request.body),
    status,
    responseHeaders: headers,
    responseBody: body !== undefined && 'access_token' in body ? { ...body, access_token: '' } : structuredClone(body),
    batched,
  };
}

function withoutSecrets(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...form].filter(([name]) => !formSecrets.includes(name)));
}
