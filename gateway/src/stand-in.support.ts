// A subgraph of the tests: the service's real SDL in a real @apollo/subgraph server, with plain resolvers behind it.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { principal as principalSchema, principalToken, type Principal, type ServiceName } from '@stint/contracts';
import { fastify } from 'fastify';
import { GraphQLError, parse } from 'graphql';
import { jwtVerify } from 'jose';

export interface StandInContext {
  principal: Principal;
}

export interface Seen {
  headers: IncomingHttpHeaders;
  principal: Principal | null;
  query: string;
}

export interface StandIn {
  url: string;
  /** Every GraphQL request that arrived, in order. */
  seen: Seen[];
  close(): Promise<void>;
}

type Resolvers = Record<string, Record<string, (...args: never[]) => unknown>>;

export function serviceSdl(name: ServiceName): string {
  const root = join(import.meta.dirname, '../..');
  return `${readFileSync(join(root, 'libs/contracts/schema/shared.graphql'), 'utf8')}\n${readFileSync(join(root, 'services', name, 'schema.graphql'), 'utf8')}`;
}

/** `gatewayKey` null makes a subgraph that asks for no principal, for gateways that know none. */
export async function startStandIn(name: ServiceName, resolvers: Resolvers, gatewayKey: KeyObject | null): Promise<StandIn> {
  const seen: Seen[] = [];
  const server = new ApolloServer<StandInContext>({
    schema: buildSubgraphSchema([{ typeDefs: parse(serviceSdl(name)), resolvers: resolvers as never }]),
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: true,
    plugins: [ApolloServerPluginInlineTraceDisabled()],
  });
  await server.start();
  const app = fastify();
  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    handler: fastifyApolloHandler(server, {
      context: async (request) => {
        const token = request.headers[principalToken.header];
        const principal = gatewayKey === null ? { kind: 'anonymous' as const } : await verified(token, gatewayKey, name);
        seen.push({ headers: request.headers, principal, query: (request.body as { query: string }).query });
        if (principal === null) throw new GraphQLError('Only the gateway may call a subgraph.', { extensions: { http: { status: 401 } } });
        return { principal };
      },
    }) as never,
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url: `${origin}/graphql`,
    seen,
    async close() {
      await app.close();
      await server.stop();
    },
  };
}

async function verified(token: unknown, key: KeyObject, audience: string): Promise<Principal | null> {
  if (typeof token !== 'string') return null;
  const result = await jwtVerify(token, createPublicKey(key), { issuer: principalToken.issuer, audience, algorithms: ['EdDSA'] }).catch(
    () => null,
  );
  return result && principalSchema.parse(result.payload[principalToken.claim]);
}
