import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApolloServerPluginInlineTraceDisabled, ApolloServerPluginUsageReportingDisabled } from '@apollo/server/plugin/disabled';
import { ApolloFederationDriver, type ApolloFederationDriverConfig } from '@nestjs/apollo';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { isId, newId } from '@stint/kernel';
import { CanGuard } from './can.guard.ts';
import { dateTime } from './date-time.ts';
import { correlateErrors, formatErrors } from './format-error.ts';
import { ProblemInterceptor } from './problem.interceptor.ts';
import type { PrincipalRequest, RequestContext } from './request-context.ts';

const sharedSchema = join(import.meta.dirname, '..', '..', 'contracts', 'schema', 'shared.graphql');

export interface SubgraphOptions {
  /** The subgraph's hand-written SDL. */
  schemaFile: string;
  log: { error(fields: object, message: string): void };
}

/** The GraphQL side of a service: its SDL and the shared one, guards, problems, error masking. */
@Module({})
export class SubgraphModule {
  static for(options: SubgraphOptions): DynamicModule {
    return {
      module: SubgraphModule,
      global: true,
      imports: [
        DiscoveryModule,
        GraphQLModule.forRoot<ApolloFederationDriverConfig>({
          driver: ApolloFederationDriver,
          typeDefs: [readFileSync(sharedSchema, 'utf8'), readFileSync(options.schemaFile, 'utf8')],
          resolvers: { DateTime: dateTime },
          context: (request: PrincipalRequest): RequestContext => {
            if (request.principal === undefined) throw new Error('No principal on the request: requirePrincipal is not installed.');
            return { principal: request.principal, correlationId: correlationOf(request), loaders: new Map() };
          },
          formatError: formatErrors(options.log),
          autoTransformHttpErrors: false,
          introspection: false,
          playground: false,
          graphiql: false,
          csrfPrevention: true,
          includeStacktraceInErrorResponses: false,
          persistedQueries: false,
          plugins: [correlateErrors, ApolloServerPluginInlineTraceDisabled(), ApolloServerPluginUsageReportingDisabled()],
        }),
      ],
      providers: [
        { provide: APP_GUARD, useClass: CanGuard },
        { provide: APP_INTERCEPTOR, useClass: ProblemInterceptor },
      ],
    };
  }
}

/** The gateway's id of the request. */
function correlationOf(request: PrincipalRequest): string {
  const given = request.headers['x-correlation-id'];
  return typeof given === 'string' && isId(given) ? given : newId();
}
