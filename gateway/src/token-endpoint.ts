import { createPublicKey, type KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { principalToken } from '@stint/contracts';
import type { Clock } from '@stint/kernel';
import type { FastifyInstance } from 'fastify';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { Provider, errors, type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';
import type { CredentialStore } from './credential.store.ts';
import { ReplayGuard } from './replay-guard.ts';

/** When an access token was issued, in milliseconds: `iat` has whole seconds, too coarse to compare with a revocation. */
export const issuedAtClaim = 'stint_issued_at_ms';
const technicianSeconds = 60;
const othersSeconds = 300;
/** The longest that a client assertion may live (RFC 7523 §3), in seconds. */
const assertionSeconds = 300;
/** oidc-provider accepts proofs for 300 seconds and assertions until they end; both are remembered longer than that. */
const replaySeconds = 600;

interface TokenEndpointLog {
  error(fields: object, message: string): void;
}

export interface TokenEndpointOptions {
  publicUrl: string;
  signingKey: KeyObject;
  credentials: CredentialStore;
  clock: Clock;
  log: TokenEndpointLog;
}

export function issuerOf(publicUrl: string): string {
  return `${publicUrl}/oauth`;
}

/** What access tokens are for (RFC 8707). */
export function audienceOf(publicUrl: string): string {
  return `${publicUrl}/graphql`;
}

/**
 * Mounts the OAuth token endpoint: client credentials with `private_key_jwt` (RFC 7523) and DPoP (RFC 9449), nothing else.
 * oidc-provider decides; its other endpoints are not reachable. The metadata and keys are public.
 */
export async function mountTokenEndpoint(app: FastifyInstance, options: TokenEndpointOptions): Promise<void> {
  const provider = new Provider(issuerOf(options.publicUrl), await configuration(options));
  provider.proxy = true;
  provider.on('server_error', (_context, error) => options.log.error({ err: error }, 'the token endpoint failed'));
  const answer = provider.callback();

  await app.register(async (scope) => {
    // oidc-provider reads the body itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/x-www-form-urlencoded', (_request, _payload, done) => done(null));
    const pass = async (request: { raw: IncomingMessage }, reply: { hijack(): unknown; raw: ServerResponse }) => {
      reply.hijack();
      await answer(withPublicAddress(request.raw, options.publicUrl), reply.raw);
    };
    scope.post('/oauth/token', pass);
    scope.get('/oauth/jwks', pass);
    scope.get('/oauth/.well-known/openid-configuration', pass);
  });
}

/** oidc-provider reckons its own address from the request; it must be the public one, whatever the request claims. */
function withPublicAddress(request: IncomingMessage & { originalUrl?: string }, publicUrl: string): IncomingMessage {
  const { host, protocol } = new URL(publicUrl);
  for (const name of Object.keys(request.headers)) if (name.startsWith('x-forwarded-')) delete request.headers[name];
  request.headers.host = host;
  request.headers['x-forwarded-host'] = host;
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  request.originalUrl = request.url ?? '';
  request.url = request.originalUrl.slice('/oauth'.length);
  return request;
}

async function configuration(options: TokenEndpointOptions): Promise<Configuration> {
  const jwk = await exportJWK(options.signingKey);
  const kid = await calculateJwkThumbprint(await exportJWK(createPublicKey(options.signingKey)));
  const off = { enabled: false };
  return {
    adapter: adapterFor(options),
    jwks: { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' } as never] },
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['EdDSA'], dPoPSigningAlgValues: ['EdDSA'], idTokenSigningAlgValues: ['EdDSA'] },
    clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
    scopes: [],
    ttl: { ClientCredentials: (_context, token) => token.resourceServer?.accessTokenTTL ?? technicianSeconds },
    features: {
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audienceOf(options.publicUrl),
        getResourceServerInfo: (_context, resource, client) => {
          if (resource !== audienceOf(options.publicUrl)) throw new errors.InvalidTarget();
          const accessTokenTTL = client['stint_kind'] === 'technician' ? technicianSeconds : othersSeconds;
          return { scope: '', audience: resource, accessTokenTTL, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'EdDSA' } } };
        },
      },
      devInteractions: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    extraClientMetadata: { properties: ['stint_kind'] },
    extraTokenClaims: async (_context, token) => {
      // Before the credential is read: a revocation that comes in between covers this token.
      const issuedAtMs = options.clock.now().getTime();
      const credential = 'clientId' in token && token.clientId ? await options.credentials.find(token.clientId) : null;
      if (credential === null) throw new errors.InvalidClient('the credential was revoked', 'revoked');
      return { [principalToken.claim]: credential.principal, [issuedAtClaim]: issuedAtMs };
    },
    assertJwtClientAuthClaimsAndHeader: (_context, claims) => {
      const now = options.clock.now().getTime() / 1000;
      if (Number(claims['exp']) > now + assertionSeconds + 60)
        throw new errors.InvalidClientAuth('the client assertion lives longer than 300 seconds');
    },
  };
}

/** The only two things that the token endpoint keeps or looks up: registered credentials and used assertions. Tokens are not stored. */
function adapterFor(options: TokenEndpointOptions): (model: string) => Adapter {
  const replays = new ReplayGuard(replaySeconds, options.clock);
  return (model) => {
    switch (model) {
      case 'Client':
        return { ...nothing, find: (id) => clientOf(options.credentials, id) };
      case 'ReplayDetection':
        // `find` comes right before `upsert`: it takes the id in the same step, so that of two at once only one is first.
        return {
          ...nothing,
          find: (id) => Promise.resolve(replays.once(id) ? undefined : { jti: id, kind: model, exp: Number.MAX_SAFE_INTEGER }),
        };
      default:
        return nothing;
    }
  };
}

async function clientOf(credentials: CredentialStore, id: string): Promise<AdapterPayload | undefined> {
  const credential = await credentials.find(id);
  if (credential === null) return undefined;
  return {
    client_id: credential.id,
    stint_kind: credential.principal.kind,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'EdDSA',
    dpop_bound_access_tokens: true,
    jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: credential.publicKey, alg: 'EdDSA', use: 'sig' }] },
  } as AdapterPayload;
}

const nothing: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};
