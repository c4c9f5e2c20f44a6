import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloDrainPlugin } from '@as-integrations/fastify';
import type { Logger } from '@stint/host';
import type { FastifyInstance } from 'fastify';
import { maxTokens, operationLimitsRule } from './operation-limits.ts';
import { formatErrors, internal } from './public-error.ts';
import type { RequestContext } from './request-context.ts';
import type { SubgraphDataSource } from './subgraph.data-source.ts';

/** The supergraph behind Apollo Server. Serves exactly the SDL that it is given; composition happens at build time. */
export async function startGraphqlServer(options: {
  supergraphSdl: string;
  subgraphs: ReadonlyMap<string, SubgraphDataSource>;
  introspection: boolean;
  app: FastifyInstance;
  log: Logger;
}): Promise<ApolloServer<RequestContext>> {
  const log = quiet(options.log);
  const server = new ApolloServer<RequestContext>({
    gateway: new ApolloGateway({
      supergraphSdl: options.supergraphSdl,
      logger: log,
      buildService: ({ name }) => {
        const subgraph = options.subgraphs.get(name);
        if (!subgraph) throw new Error(`SUBGRAPH_URLS does not tell where the subgraph "${name}" of supergraph.graphql is.`);
        return subgraph;
      },
    }),
    logger: log,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens },
    validationRules: [operationLimitsRule],
    formatError: formatErrors(options.log),
    plugins: [ApolloServerPluginLandingPageDisabled(), fastifyApolloDrainPlugin(options.app as never), brokenPromises(options.log)],
  });
  await server.start();
  return server;
}

/**
 * A subgraph that answers null where its schema promises a value makes the executor blank the data and tell it in an
 * extension of its own, with internal names. GraphQL wants an error there (October 2021 §6.4.4), and so do clients.
 */
function brokenPromises(log: Logger): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: () =>
      Promise.resolve({
        willSendResponse: ({ response, contextValue }) => {
          if (response.body.kind !== 'single') return Promise.resolve();
          const result = response.body.singleResult;
          const { valueCompletion, ...rest } = result.extensions ?? {};
          if (valueCompletion === undefined) return Promise.resolve();
          log.error({ correlationId: contextValue.correlationId, valueCompletion }, 'a subgraph broke its schema');
          delete result.extensions;
          if (Object.keys(rest).length > 0) result.extensions = rest;
          result.errors = [...(result.errors ?? []), internal(contextValue.correlationId)];
          return Promise.resolve();
        },
      }),
  };
}

/** Apollo's own chatter at debug level; its errors and warnings as they are. */
function quiet(log: Logger) {
  return {
    debug: (message: unknown) => log.trace(String(message)),
    info: (message: unknown) => log.debug(String(message)),
    warn: (message: unknown) => log.warn(String(message)),
    error: (message: unknown) => log.error(String(message)),
  };
}
