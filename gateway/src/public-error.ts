import { refusalCodes } from '@stint/kernel';
import type { GraphQLFormattedError } from 'graphql';
import { newCorrelationId } from './request-context.ts';

export const subgraphUnavailable = 'SUBGRAPH_UNAVAILABLE';

const publicCodes = new Set<unknown>([...refusalCodes, subgraphUnavailable, 'INTERNAL']);
/** Apollo's codes for a request that GraphQL itself finds wrong; the messages name only what the caller sent. */
const callerFaults = new Set<unknown>([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

interface SubgraphError {
  message?: unknown;
  path?: unknown;
  extensions?: { code?: unknown; correlationId?: unknown };
}

interface ErrorLog {
  error(fields: object, message: string): void;
}

/** What of a subgraph's error goes out: the words of a refusal, or a masked `INTERNAL`. The path stays, because the executor needs it. */
export function fromSubgraph(error: SubgraphError, correlationId: string): GraphQLFormattedError {
  const path = Array.isArray(error.path) ? { path: error.path as (string | number)[] } : {};
  const code = error.extensions?.code;
  const message = typeof error.message === 'string' ? error.message : '';
  if (typeof code === 'string' && code !== 'INTERNAL' && (publicCodes.has(code) || code === 'BAD_USER_INPUT')) {
    return { message, ...path, extensions: { code: code === 'BAD_USER_INPUT' ? 'MALFORMED' : code, correlationId } };
  }
  const theirs = error.extensions?.correlationId;
  const id = typeof theirs === 'string' ? theirs : correlationId;
  return { ...internal(id), ...path };
}

/** The last look at every error that leaves: a stable code, a correlation id, and nothing else of it. */
export function formatErrors(log: ErrorLog): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const { code, correlationId } = (formatted.extensions ?? {}) as { code?: unknown; correlationId?: unknown };
    const place = { ...(formatted.path && { path: formatted.path }), ...(formatted.locations && { locations: formatted.locations }) };
    const id = typeof correlationId === 'string' ? { correlationId } : {};
    if (publicCodes.has(code)) return { message: formatted.message, ...place, extensions: { code, ...id } };
    if (callerFaults.has(code) || isVariableFault(formatted))
      return { message: formatted.message, ...place, extensions: { code: 'MALFORMED', ...id } };
    const masked = internal(newCorrelationId());
    log.error({ ...masked.extensions, err: error }, 'unexpected error');
    return { ...masked, ...place };
  };
}

export function internal(correlationId: string): { message: string; extensions: { code: string; correlationId: string } } {
  return {
    message: `Something went wrong on our side. Quote ${correlationId} when you ask about it.`,
    extensions: { code: 'INTERNAL', correlationId },
  };
}

/** The body of an answer that refuses a whole request before GraphQL sees it. */
export function errorBody(code: string, message: string): { errors: GraphQLFormattedError[] } {
  return { errors: [{ message, extensions: { code } }] };
}

// The gateway's executor checks variables itself and gives its errors no code of their own (graphql-js, values.ts); they have locations and no path.
function isVariableFault(error: GraphQLFormattedError): boolean {
  return error.path === undefined && error.locations !== undefined && /^Variable "\$/.test(error.message);
}
