import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Provider } from 'oidc-provider';
import { issuerOf, oidcConfiguration, type AuthorizationServerOptions } from './oidc-configuration.ts';

interface AuthorizationServerLog {
  error(fields: object, message: string): void;
}

/**
 * Mounts the OAuth 2.0 authorization server: authorization code with PKCE (RFC 7636) for people, client credentials with
 * `private_key_jwt` (RFC 7523) for devices and API clients, DPoP (RFC 9449). oidc-provider decides; its other endpoints
 * are not reachable. The metadata and keys are public.
 */
export async function mountAuthorizationServer(
  app: FastifyInstance,
  options: AuthorizationServerOptions & { log: AuthorizationServerLog },
): Promise<Provider> {
  const provider = new Provider(issuerOf(options.publicUrl), oidcConfiguration(options));
  provider.proxy = true;
  provider.on('server_error', (_context, error) => options.log.error({ err: error }, 'the authorization server failed'));
  const answer = provider.callback();

  await app.register(async (scope) => {
    // oidc-provider reads the body itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/x-www-form-urlencoded', (_request, _payload, done) => done(null));
    const pass = async (request: { raw: IncomingMessage }, reply: { hijack(): unknown; raw: ServerResponse }) => {
      reply.hijack();
      reply.raw.setHeader('x-content-type-options', 'nosniff');
      reply.raw.setHeader('referrer-policy', 'no-referrer');
      await answer(belowIssuer(withPublicAddress(request.raw, options.publicUrl)), reply.raw);
    };
    scope.get('/oauth/auth', pass);
    scope.get('/oauth/auth/:uid', pass);
    scope.post('/oauth/token', pass);
    scope.get('/oauth/jwks', pass);
    scope.get('/oauth/.well-known/openid-configuration', pass);
  });
  return provider;
}

/** oidc-provider reckons its own address from the request; it must be the public one, whatever the request claims. */
export function withPublicAddress(request: IncomingMessage, publicUrl: string): IncomingMessage {
  const { host, protocol } = new URL(publicUrl);
  for (const name of Object.keys(request.headers)) if (name.startsWith('x-forwarded-')) delete request.headers[name];
  request.headers.host = host;
  request.headers['x-forwarded-host'] = host;
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  return request;
}

function belowIssuer(request: IncomingMessage & { originalUrl?: string }): IncomingMessage {
  request.originalUrl = request.url ?? '';
  request.url = request.originalUrl.slice('/oauth'.length);
  return request;
}
