import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { principalToken, type Principal } from '@stint/contracts';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { Pool } from 'undici';
import { BoundedCache } from './bounded-cache.ts';
import type { PrincipalSigner } from './principal-signer.ts';
import { fromSubgraph, internal, subgraphUnavailable } from './public-error.ts';
import { anonymous, gatewayItself, newCorrelationId, traceparent, type RequestContext } from './request-context.ts';

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: GraphQLFormattedError[];
}

interface Operation {
  query: string;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
}

interface DataSourceLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const timeoutMs = 10_000;
const maxAnswerBytes = 16 * 1024 * 1024;
/** The connection broke before an answer: a query may be sent again, a mutation may have had its effect. */
const brokenConnection = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * Speaks to one subgraph over pooled keep-alive connections, without `Headers` or `Request` objects: they are what makes
 * the library's own data source several times slower. Sends the operation, the signed principal and trace headers of its
 * own; nothing of the client's.
 */
export class SubgraphDataSource implements GraphQLDataSource<RequestContext> {
  readonly name: string;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #signer: PrincipalSigner;
  readonly #log: DataSourceLog;
  readonly #quoted = new BoundedCache<string>(2_000);

  constructor(options: { name: string; url: string; signer: PrincipalSigner; log: DataSourceLog }) {
    const url = new URL(options.url);
    this.name = options.name;
    this.#path = url.pathname + url.search;
    this.#signer = options.signer;
    this.#log = options.log;
    this.#pool = new Pool(url.origin, {
      connections: 128,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      connect: { timeout: 3_000 },
      maxResponseSize: maxAnswerBytes,
    });
  }

  /** One fetch of a query plan. Throws a public error when the subgraph cannot answer; the executor then leaves its fields null. */
  async process(options: GraphQLDataSourceProcessOptions<RequestContext>): Promise<never> {
    const { request } = options;
    const context = options.context as Partial<RequestContext>;
    const operation = { query: request.query ?? '', variables: request.variables, operationName: request.operationName };
    // The gateway library types its answers with classes that only it makes; it reads no more than data, errors and extensions.
    return (await this.ask(operation, context.principal ?? anonymous, context.correlationId ?? newCorrelationId())) as never;
  }

  /** Asks as the gateway itself, for what is not in the public schema; throws when there is no data. */
  async askAsGateway<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const answer = await this.ask({ query, variables }, gatewayItself, newCorrelationId());
    if (answer.errors?.length || answer.data == null)
      throw new Error(`${this.name} did not answer the gateway's own question: ${answer.errors?.[0]?.message ?? 'no data'}`);
    return answer.data as Data;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  private async ask(operation: Operation, principal: Principal, correlationId: string): Promise<Answer> {
    const body = this.#body(operation);
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json',
      traceparent: traceparent(correlationId),
      'x-correlation-id': correlationId,
      [principalToken.header]: await this.#signer.tokenFor(principal, this.name),
    };
    const answer = await this.#send(headers, body, operation.query, correlationId);
    if (!Array.isArray(answer.errors)) return { data: answer.data ?? null };
    return { data: answer.data ?? null, errors: answer.errors.map((error) => fromSubgraph(error, correlationId)) };
  }

  async #send(headers: Record<string, string>, body: string, query: string, correlationId: string): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await this.#pool.request({ method: 'POST', path: this.#path, headers, body });
        if (response.statusCode === 401 || response.statusCode === 403) {
          await response.body.dump();
          // Not the caller's fault: this gateway's key is not the one that the subgraph trusts, or a clock is wrong.
          this.#log.error(
            { subgraph: this.name, correlationId, status: response.statusCode },
            "the subgraph refuses this gateway's signature",
          );
          throw new GraphQLError(internal(correlationId).message, { extensions: internal(correlationId).extensions });
        }
        const answer = (await response.body.json()) as Answer | null;
        if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)) return answer;
        throw new Error(`HTTP ${response.statusCode} without a GraphQL answer`);
      } catch (error) {
        if (error instanceof GraphQLError) throw error;
        const code = (error as { code?: string }).code ?? '';
        if (attempt === 1 && brokenConnection.has(code) && !query.startsWith('mutation')) continue;
        this.#log.warn({ subgraph: this.name, correlationId, reason: code || (error as Error).message }, 'subgraph unavailable');
        throw new GraphQLError('A part of Stint cannot answer now; what it knows is missing from this answer. Try again.', {
          extensions: { code: subgraphUnavailable, correlationId },
        });
      }
    }
  }

  /** The request's JSON; the text of a fetch is the same for every run of its plan, so that it is escaped once. */
  #body({ query, variables, operationName }: Operation): string {
    let quoted = this.#quoted.get(query);
    if (quoted === undefined) this.#quoted.set(query, (quoted = JSON.stringify(query)));
    const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`;
    return `{"query":${quoted}${name},"variables":${JSON.stringify(variables ?? {})}}`;
  }
}
