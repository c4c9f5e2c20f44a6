import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { Logger, Running } from '@stint/host';
import { Refusal, systemClock, type Clock } from '@stint/kernel';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { mountAuthorizationServer } from './authorization-server.ts';
import { AccessTokenVerifier, proofToleranceSeconds, type Caller } from './access-token.ts';
import { CredentialStore } from './credential.store.ts';
import { startGraphqlServer } from './graphql-server.ts';
import { NudgeStreams, type HintSource } from './nudge-streams.ts';
import { audienceOf, issuerOf } from './oidc-configuration.ts';
import { PrincipalSigner } from './principal-signer.ts';
import { errorBody, internal } from './public-error.ts';
import { ReplayGuard } from './replay-guard.ts';
import { Revocations, sessionSubject } from './revocations.ts';
import { anonymous, newCorrelationId } from './request-context.ts';
import { answerSignInRefused, mountSignInEndpoints } from './sign-in-endpoints.ts';
import { SignInStore } from './sign-in.store.ts';
import { SigningKeys } from './signing-keys.ts';
import { SubgraphDataSource } from './subgraph.data-source.ts';
import { mountWebApp } from './web-app.ts';

export interface GatewayConfig {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** How callers reach the gateway; tokens and proofs are bound to it. No slash at the end. */
  publicUrl: string;
  /** Where each subgraph of the supergraph is. */
  subgraphUrls: Readonly<Record<string, string>>;
  /** Ed25519, for access tokens and principals: the first signs, all verify. */
  signingKeys: readonly KeyObject[];
  /** Nudges and revocations, as they happen. */
  hints: HintSource;
  log: Logger;
  /** The repository's supergraph.graphql by default. */
  supergraphFile?: string;
  /** The console's built bundle; clients/console/dist/web by default. */
  webAppFolder?: string;
  /** Whether the schema can be asked for; off by default. */
  introspection?: boolean;
  clock?: Clock;
}

const maxBodyBytes = 256 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** Starts the gateway: /graphql, /oauth, /sign-in, /app, /nudge, /health. `close` ends the streams, answers what is under way, then lets go of the subgraphs. */
export async function startGateway(config: GatewayConfig): Promise<Running> {
  const clock = config.clock ?? systemClock;
  const supergraphSdl = readFileSync(config.supergraphFile ?? join(import.meta.dirname, '../../supergraph.graphql'), 'utf8');
  const keys = await SigningKeys.of(config.signingKeys);
  const signer = new PrincipalSigner(keys, clock);
  const subgraphs = new Map(
    Object.entries(config.subgraphUrls).map(([name, url]) => [name, new SubgraphDataSource({ name, url, signer, log: config.log })]),
  );
  const tenants = subgraphs.get('tenants');
  if (!tenants) throw new Error('SUBGRAPH_URLS must tell where "tenants" is: it knows the credentials.');

  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: 30_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  });
  const streams = new NudgeStreams(config.hints, clock);
  const revocations = new Revocations(clock);
  const credentials = new CredentialStore(tenants, clock);
  const stopHearing = config.hints.subscribe('credential-revoked', (subject) => {
    revocations.revoke(subject);
    credentials.forgetAll();
    streams.cut(subject);
  });
  answerErrorsAsGraphql(app, config.log);
  // Form posts and plain text are what a foreign web page can send without asking (CSRF).
  app.removeContentTypeParser('text/plain');
  app.addHook('preClose', () => streams.close());

  const { publicUrl, log } = config;
  const signIns = new SignInStore(tenants);
  const provider = await mountAuthorizationServer(app, { publicUrl, keys, credentials, signIns, clock, log });
  mountSignInEndpoints(app, { provider, signIns, publicUrl, clock });
  mountWebApp(app, config.webAppFolder ?? join(import.meta.dirname, '../../clients/console/dist/web'));
  const verifier = new AccessTokenVerifier({
    keys,
    issuer: issuerOf(config.publicUrl),
    audience: audienceOf(config.publicUrl),
    replays: new ReplayGuard(2 * proofToleranceSeconds, clock),
    revocations,
    clock,
  });
  const graphql = await startGraphqlServer({
    supergraphSdl,
    subgraphs,
    introspection: config.introspection ?? false,
    app,
    log: config.log,
  });

  app.decorateRequest('caller', null);
  const proveCaller = (path: string) => async (request: FastifyRequest, reply: FastifyReply) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    const { authorization, dpop } = request.headers;
    if (authorization === undefined) return;
    request.caller = await verifier.verify({ method: request.method, url: `${config.publicUrl}${path}`, authorization, proof: dpop });
  };

  app.route({
    method: ['GET', 'POST'],
    url: '/graphql',
    onRequest: proveCaller('/graphql'),
    handler: fastifyApolloHandler(graphql, {
      context: (request) => Promise.resolve({ principal: request.caller?.principal ?? anonymous, correlationId: newCorrelationId() }),
    }) as never,
  });

  app.get('/nudge', { onRequest: proveCaller('/nudge') }, async (request, reply) => {
    if (!request.caller) throw new Refusal('UNAUTHENTICATED', 'Sign in as a device or technician.');
    const { principal, provedUntil: endsAt } = request.caller;
    if (principal.kind !== 'device' && principal.kind !== 'technician')
      throw new Refusal('FORBIDDEN', 'Nudges are for devices and technicians.');
    const { id } = principal;
    const session = principal.kind === 'technician' ? { sessionSubject: sessionSubject(principal.sessionId ?? id) } : {};
    reply.hijack();
    if (!streams.open({ id, endsAt, ...session }, reply.raw)) reply.raw.writeHead(503).end();
  });

  app.get('/health/live', () => ({ status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    const answers = await Promise.all(
      [...subgraphs.values()].map((subgraph) =>
        subgraph.askAsGateway('{ __typename }').then(
          () => [],
          () => [subgraph.name],
        ),
      ),
    );
    const unreachable = answers.flat();
    return reply.code(unreachable.length === 0 ? 200 : 503).send({ status: unreachable.length === 0 ? 'ok' : 'not ready', unreachable });
  });

  const url = await app.listen({ host: config.host, port: config.port });
  return {
    url,
    async close() {
      stopHearing();
      await graphql.stop();
      await app.close();
      await Promise.all([...subgraphs.values()].map((subgraph) => subgraph.close()));
    },
  };
}

const statusOf: Partial<Record<string, number>> = { UNAUTHENTICATED: 401, FORBIDDEN: 403, NOT_FOUND: 404, LIMITED: 429 };

/** Whatever is refused before GraphQL answers in GraphQL's own shape, without stack or internal words. */
function answerErrorsAsGraphql(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError | Refusal, _request, reply) => {
    if (answerSignInRefused(error, reply)) return reply;
    if (error instanceof Refusal) {
      // RFC 9449 §7.1; the scheme tells a client library what to do.
      if (error.code === 'UNAUTHENTICATED') void reply.header('www-authenticate', 'DPoP algs="EdDSA ES256", error="invalid_token"');
      return reply.code(statusOf[error.code] ?? 400).send(errorBody(error.code, error.message));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(errorBody('MALFORMED', error.message));
    const masked = internal(newCorrelationId());
    log.error({ ...masked.extensions, err: error }, 'unexpected error');
    return reply.code(500).send({ errors: [masked] });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(errorBody('NOT_FOUND', 'There is nothing at this address. GraphQL is at /graphql.')),
  );
}
