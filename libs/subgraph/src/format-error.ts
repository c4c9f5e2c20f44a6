import type { ApolloServerPlugin } from '@apollo/server';
import { unwrapResolverError } from '@apollo/server/errors';
import type { GraphQLFormattedError } from 'graphql';
import { newId, Problem, Refusal } from '@stint/kernel';
import type { RequestContext } from './request-context.ts';

interface ErrorLog {
  error(fields: object, message: string): void;
}

/** Gives every error the correlation id of its request, so that the gateway's log and ours speak of the same one. */
export const correlateErrors: ApolloServerPlugin<RequestContext> = {
  requestDidStart: () =>
    Promise.resolve({
      didEncounterErrors({ errors, contextValue }) {
        for (const error of errors) Object.assign(error.extensions, { correlationId: contextValue.correlationId });
        return Promise.resolve();
      },
    }),
};

// Faults of the request that GraphQL itself finds; their messages name only what the caller sent.
const callerFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
]);

/** What leaves a subgraph when something was refused or broke: a stable code, or a masked `INTERNAL` with a correlation id. */
export function formatErrors(log: ErrorLog): (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError {
  return (formatted, error) => {
    const original = unwrapResolverError(error);
    const place = { ...(formatted.path && { path: formatted.path }), ...(formatted.locations && { locations: formatted.locations }) };
    if (original instanceof Refusal) return { message: original.message, ...place, extensions: { code: original.code } };
    // Queries have no result union: there, an out-of-reach id is a refusal with the same words.
    if (original instanceof Problem && original.type === 'NotFound')
      return { message: original.message, ...place, extensions: { code: 'NOT_FOUND' } };
    const code = formatted.extensions?.['code'];
    if (typeof code === 'string' && callerFaults.has(code)) return { message: formatted.message, ...place, extensions: { code } };
    const known = formatted.extensions?.['correlationId'];
    const correlationId = typeof known === 'string' ? known : newId();
    log.error({ correlationId, err: original }, 'unexpected error');
    return {
      message: `Something went wrong on our side. Quote ${correlationId} when you ask about it.`,
      ...place,
      extensions: { code: 'INTERNAL', correlationId },
    };
  };
}
