import { randomUUID } from 'node:crypto';

/** What goes out: a status, a body of JSON (none for 204), and headers. */
export interface Answer {
  status: number;
  body?: object;
  headers?: Record<string, string>;
}

/** A refusal in Graph's words. Thrown by handlers. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: { code: string; message: string; target: string }[] | null;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { target?: string; detail?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.detail === undefined ? null : [{ code: more.detail, message, target: more.target ?? '' }];
    this.headers = more.headers ?? {};
  }

  answer(at: string, clientRequestId?: string): Answer {
    const requestId = randomUUID();
    return {
      status: this.status,
      headers: this.headers,
      body: {
        error: {
          code: this.code,
          message: this.message,
          ...(this.details === null ? {} : { details: this.details }),
          innerError: {
            date: at.replace(/(\.\d+)?Z$/, ''),
            'request-id': requestId,
            'client-request-id': clientRequestId ?? requestId,
          },
        },
      },
    };
  }
}

export const badRequest = (message: string, more: { target?: string; detail?: string } = {}) =>
  new GraphError(400, 'Request_BadRequest', message, more);

export const forbidden = () => new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');

export const resourceNotFound = (id: string) =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
