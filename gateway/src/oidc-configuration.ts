import { principalToken, type Principal } from '@stint/contracts';
import { addSeconds, newId, type Clock } from '@stint/kernel';
import { errors, interactionPolicy, type Account, type Configuration, type Grant, type KoaContextWithOIDC } from 'oidc-provider';
import type { CredentialStore } from './credential.store.ts';
import { adapterFor } from './oidc.adapter.ts';
import { SignInRefused, type SignInMethod, type SignInStore, type TechnicianPrincipal } from './sign-in.store.ts';
import type { SigningKeys } from './signing-keys.ts';

/** When an access token was issued, in milliseconds: `iat` has whole seconds, too coarse to compare with a revocation. */
export const issuedAtClaim = 'stint_issued_at_ms';
/** How a person signed in (`amr`, RFC 8176 has no values for these). */
export const byPasskey = 'passkey';
export const byIdentityProvider = 'identity-provider';

const technicianSeconds = 60;
const othersSeconds = 300;
/** The longest that a client assertion may live (RFC 7523 §3), in seconds. */
const assertionSeconds = 300;
/** How long a sign-in may take: from the authorization request to the passkey. */
export const interactionSeconds = 600;
/** A session ends when nobody used it for a day, and after a week at the latest (NIST SP 800-63B §4.2.3 asks for limits of both kinds). */
const idleSeconds = 24 * 3600;
const sessionSeconds = 7 * 24 * 3600;

export interface AuthorizationServerOptions {
  publicUrl: string;
  keys: SigningKeys;
  credentials: CredentialStore;
  signIns: SignInStore;
  clock: Clock;
}

/** A person as oidc-provider knows them, with what they may do at this moment. */
interface Technician extends Account {
  principal: TechnicianPrincipal;
  /** Before the principal was read: a revocation that comes in between covers the token. */
  readAtMs: number;
}

export function issuerOf(publicUrl: string): string {
  return `${publicUrl}/oauth`;
}

/** What access tokens are for (RFC 8707). */
export function audienceOf(publicUrl: string): string {
  return `${publicUrl}/graphql`;
}

/** Everything that oidc-provider is told. What is not named here is off. */
export function oidcConfiguration(options: AuthorizationServerOptions): Configuration {
  const { publicUrl, keys, signIns, clock } = options;
  const audience = audienceOf(publicUrl);
  const secure = publicUrl.startsWith('https:');
  const prefix = secure ? '__Secure-stint' : 'stint';
  const cookie = { httpOnly: true, sameSite: 'lax' as const, secure, signed: true };
  const off = { enabled: false };
  return {
    adapter: adapterFor(options),
    jwks: { keys: keys.jwks as never },
    clients: firstPartyClients(publicUrl),
    clientAuthMethods: ['private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['EdDSA'],
      // A browser keeps an ES256 key that no script can read, wherever it runs.
      dPoPSigningAlgValues: ['EdDSA', 'ES256'],
      idTokenSigningAlgValues: ['EdDSA'],
    },
    clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
    scopes: ['openid', 'offline_access'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    cookies: {
      keys: keys.cookieSecrets,
      names: { session: `${prefix}-session`, interaction: `${prefix}-interaction`, resume: `${prefix}-resume` },
      long: cookie,
      short: cookie,
    },
    ttl: {
      AccessToken: technicianSeconds,
      AuthorizationCode: 60,
      ClientCredentials: (_context, token) => token.resourceServer?.accessTokenTTL ?? technicianSeconds,
      Grant: sessionSeconds,
      IdToken: technicianSeconds,
      Interaction: interactionSeconds,
      RefreshToken: idleSeconds,
      Session: interactionSeconds,
    },
    features: {
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource, client) => {
          if (resource !== audience) throw new errors.InvalidTarget();
          const person = client.clientAuthMethod === 'none' || client['stint_kind'] === 'technician';
          const accessTokenTTL = person ? technicianSeconds : othersSeconds;
          return { scope: '', audience, accessTokenTTL, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'EdDSA', kid: keys.signing.kid } } };
        },
      },
      devInteractions: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    interactions: { policy: signInEveryTime(), url: (_context, interaction) => `${publicUrl}/sign-in/${interaction.uid}` },
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    findAccount: (context, technicianId) => findTechnician(options, context, technicianId),
    loadExistingGrant: (context) => startSession(signIns, clock, context),
    renderError: (context, { error, error_description: description }) => {
      // Nothing of the request is repeated: it may be an attacker's link.
      context.type = 'text/plain; charset=utf-8';
      context.body = `You cannot sign in with this link (${error}${description === undefined ? '' : `: ${description}`}). Go back to where you came from and start again.`;
    },
    extraClientMetadata: { properties: ['stint_kind'] },
    extraTokenClaims: async (context, token) => {
      if ('accountId' in token && token.accountId !== undefined) return technicianClaims(context, token.grantId ?? '');
      // Before the credential is read: a revocation that comes in between covers this token.
      const issuedAtMs = clock.now().getTime();
      const credential = 'clientId' in token && token.clientId ? await options.credentials.find(token.clientId) : null;
      if (credential === null) throw new errors.InvalidClient('the credential was revoked', 'revoked');
      await options.credentials.settle(credential);
      return { [principalToken.claim]: credential.principal, [issuedAtClaim]: issuedAtMs };
    },
    assertJwtClientAuthClaimsAndHeader: (_context, claims) => {
      const now = clock.now().getTime() / 1000;
      if (Number(claims['exp']) > now + assertionSeconds + 60)
        throw new errors.InvalidClientAuth('the client assertion lives longer than 300 seconds');
    },
  };
}

/** Our own apps. Public clients: what proves them is PKCE, the redirect address and the DPoP key of each sign-in. */
function firstPartyClients(publicUrl: string): Configuration['clients'] {
  const shared = {
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code' as const],
    token_endpoint_auth_method: 'none' as const,
    dpop_bound_access_tokens: true,
  };
  return [
    { ...shared, client_id: 'stint-console', client_name: 'Stint', application_type: 'web', redirect_uris: [`${publicUrl}/app/signed-in`] },
    {
      ...{ ...shared, client_id: 'stint-cli', client_name: 'Stint command line', application_type: 'native' },
      // Any port (RFC 8252 §7.3).
      redirect_uris: ['http://127.0.0.1/signed-in', 'http://[::1]/signed-in'],
    },
  ];
}

/**
 * Every authorization request asks for a sign-in, and none for consent: the clients are ours. So there is no browser
 * session that could be fixed, stolen or forgotten at a revocation, and a local program that opens the browser gets
 * nothing unseen (RFC 8252 §8.6). `max_age` and `prompt=login` are met by it.
 */
function signInEveryTime(): interactionPolicy.Prompt[] {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('dpop_key', 'a DPoP key is required', 'invalid_request', ({ oidc }) => {
      if (oidc.params?.['dpop_jkt'] === undefined) throw new errors.InvalidRequest('dpop_jkt is required (RFC 9449 section 10)');
      return interactionPolicy.Check.NO_NEED_TO_PROMPT;
    }),
    0,
  );
  return [...policy];
}

async function findTechnician(
  { signIns, clock }: AuthorizationServerOptions,
  { oidc }: KoaContextWithOIDC,
  accountId: string,
): Promise<Technician | undefined> {
  const readAtMs = clock.now().getTime();
  const principal = await signIns.principalOf(accountId);
  if (principal !== null) return { accountId, claims: () => ({ sub: accountId }), principal, readAtMs };
  if (oidc.route === 'resume') throw new errors.AccessDenied('this technician cannot sign in');
  return undefined;
}

/** A person has signed in: their session begins. The browser keeps nothing of it. */
async function startSession(signIns: SignInStore, clock: Clock, { oidc, req }: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { account, client, result, session, provider } = oidc;
  if (account === undefined || client === undefined || session === undefined || result?.login === undefined) return undefined;
  Object.assign(session, { destroyed: true });
  const now = clock.now();
  const expiresAt = addSeconds(now, sessionSeconds);
  const technicianId = account.accountId;
  const grant = new provider.Grant({ accountId: technicianId, clientId: client.clientId });
  grant.jti = newId();
  grant.addOIDCScope('openid offline_access');
  const { openid, kind } = grant;
  const seconds = { iat: Math.floor(now.getTime() / 1000), exp: Math.floor(expiresAt.getTime() / 1000) };
  await signIns
    .startSession({
      ...{ id: grant.jti, technicianId, client: client.clientId, userAgent: req.headers['user-agent'] ?? '', expiresAt },
      signedInBy: methodOf(result.login.amr ?? []),
      payload: JSON.stringify({ kind, accountId: technicianId, clientId: client.clientId, openid, ...seconds }),
    })
    .catch((error: unknown) => {
      throw error instanceof SignInRefused ? new errors.AccessDenied('this technician cannot sign in') : error;
    });
  return grant;
}

function methodOf(amr: readonly string[]): SignInMethod {
  if (!amr.includes(byIdentityProvider)) return 'PASSKEY';
  return amr.includes(byPasskey) ? 'IDENTITY_PROVIDER_AND_PASSKEY' : 'IDENTITY_PROVIDER';
}

function technicianClaims({ oidc }: KoaContextWithOIDC, sessionId: string): Record<string, unknown> {
  const { principal, readAtMs, accountId } = oidc.account as Technician;
  const source = oidc.entities.RefreshToken ?? oidc.entities.AuthorizationCode;
  const proved = source?.amr?.includes(byPasskey) === true && source.authTime !== undefined;
  const technician: Principal = {
    ...{ kind: 'technician', id: accountId, ...principal, sessionId },
    ...(proved && { signedInAt: new Date((source.authTime ?? 0) * 1000).toISOString() }),
  };
  return { [principalToken.claim]: technician, [issuedAtClaim]: readAtMs, sid: sessionId };
}
