/** One entry of a GraphQL answer's `errors`, as the gateway lets it out. */
export interface GraphQLErrorEntry {
  message: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string; correlationId?: string };
}

/**
 * The server refused the request or could not answer all of it. `code` is stable (`UNAUTHENTICATED`, `FORBIDDEN`,
 * `MALFORMED`, `LIMITED`, `TRY_AGAIN`, `SUBGRAPH_UNAVAILABLE`, `INTERNAL`, …); `correlationId` finds the request in the
 * server's logs; `data` is what could be answered in spite of it, untyped because any field may be null.
 */
export class StintError extends Error {
  override readonly name = 'StintError';
  readonly code: string;
  readonly correlationId: string | undefined;
  readonly errors: readonly GraphQLErrorEntry[];
  readonly data: unknown;

  constructor(
    code: string,
    message: string,
    details: { correlationId?: string | undefined; errors?: readonly GraphQLErrorEntry[]; data?: unknown } = {},
  ) {
    super(message);
    this.code = code;
    this.correlationId = details.correlationId;
    this.errors = details.errors ?? [];
    this.data = details.data ?? null;
  }
}

/** No answer that can be used: connection refused or lost, timeout, or a proxy answered instead. Repeating may help; a mutation with client-given ids may be repeated as it is. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

/** An expected failure that a mutation answered: `type` is the union member's name, `fields` are the member's other fields. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.type = type;
    this.fields = fields;
  }
}
