import { createPublicKey, randomUUID } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import type { Answer } from '../http/answer.ts';
import type { AppState, CertificateState, TenantState } from '../state/state.ts';
import { hash, type Store } from '../state/store.ts';
import { makeAccessToken } from './access-token.ts';

/** Where the token endpoint and Graph are, as a caller sees them. */
export interface Addresses {
  loginUrl: string;
  graphUrl: string;
}

/** A refusal of the token endpoint, with the number that Microsoft documents for it. */
class TokenError extends Error {
  readonly error: string;
  readonly number: number;
  readonly status: number;

  constructor(error: string, number: number, message: string, status = 400) {
    super(message);
    this.error = error;
    this.number = number;
    this.status = status;
  }
}

const clientAssertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** POST {login}/{tenant}/oauth2/v2.0/token with grant_type client_credentials. */
export async function answerToken(store: Store, addresses: Addresses, tenantName: string, form: URLSearchParams): Promise<Answer> {
  try {
    const tenant = findTenant(store, tenantName);
    if (form.get('grant_type') !== 'client_credentials') {
      throw new TokenError('unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
    }
    const clientId = form.get('client_id') ?? '';
    if (clientId === '')
      throw new TokenError('invalid_request', 900144, "The request body must contain the following parameter: 'client_id'.");
    const app = findApp(tenant, clientId);
    await proveApp(store, addresses, tenant, app, form);
    checkScope(addresses, form.get('scope'));
    if (!app.enabled) {
      throw new TokenError('unauthorized_client', 7000112, `Application '${clientId}'(${app.displayName}) is disabled.`);
    }
    if (app.blockedByConditionalAccess) {
      throw new TokenError(
        'invalid_grant',
        53003,
        'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
      );
    }
    const { accessToken, lifetimeSeconds } = await makeAccessToken(store, tenant, app);
    return {
      status: 200,
      headers: { 'cache-control': 'no-store' },
      body: { token_type: 'Bearer', expires_in: lifetimeSeconds, ext_expires_in: lifetimeSeconds, access_token: accessToken },
    };
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    return refusal(store, error);
  }
}

/** A tenant by its id or by one of its domains. */
function findTenant(store: Store, name: string): TenantState {
  const tenant = store.state.tenants.find(({ id, domains }) => id === name.toLowerCase() || domains.some((domain) => domain.name === name));
  if (tenant !== undefined) return tenant;
  throw new TokenError('invalid_request', 90002, `Tenant '${name}' not found. Check to make sure you have the correct tenant ID.`);
}

/** An app that nobody of the tenant has consented to is as good as none. */
function findApp(tenant: TenantState, clientId: string): AppState {
  const app = tenant.apps.find((one) => one.clientId === clientId && one.granted !== null);
  if (app !== undefined) return app;
  const message = `Application with identifier '${clientId}' was not found in the directory '${tenant.displayName}'.`;
  throw new TokenError('unauthorized_client', 700016, message);
}

async function proveApp(store: Store, addresses: Addresses, tenant: TenantState, app: AppState, form: URLSearchParams): Promise<void> {
  const assertion = form.get('client_assertion');
  const secret = form.get('client_secret');
  if (assertion !== null && form.get('client_assertion_type') === clientAssertionType)
    return proveByKey(store, addresses, tenant, app, assertion);
  if (secret === null) {
    const message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
    throw new TokenError('invalid_client', 7000218, message, 401);
  }
  const known = app.secrets.find(({ secretHash }) => secretHash === hash(secret));
  if (known === undefined) {
    throw new TokenError('invalid_client', 7000215, `Invalid client secret provided for app '${app.clientId}'.`, 401);
  }
  if (new Date(known.endsAt) <= store.now()) {
    throw new TokenError('invalid_client', 7000222, `The provided client secret keys for app '${app.clientId}' are expired.`, 401);
  }
}

/** private_key_jwt (RFC 7523 §2.2): signed with a key of a certificate that the app has registered, for this endpoint, not too old. */
async function proveByKey(store: Store, addresses: Addresses, tenant: TenantState, app: AppState, assertion: string): Promise<void> {
  const wrong = (message: string) =>
    new TokenError('invalid_client', 700027, `Client assertion failed signature validation. ${message}`, 401);
  const { certificate, payload } = await readAssertion(app, assertion).catch(() => {
    throw wrong('The key was not found or the signature does not fit.');
  });
  if (certificate === undefined)
    throw wrong('The certificate with the identifier used to sign the assertion is not registered on the application.');
  if (new Date(certificate.endsAt) <= store.now()) throw wrong('The certificate is expired.');
  const now = store.now().getTime() / 1000;
  const here = ['oauth2/v2.0/token', 'v2.0'].map((end) => `${addresses.loginUrl}/${tenant.id}/${end}`);
  if (!here.includes(String(payload.aud))) {
    throw new TokenError('invalid_client', 700023, 'Client assertion audience claim does not match the token endpoint.', 401);
  }
  if (payload.iss !== app.clientId || payload.sub !== app.clientId) {
    throw new TokenError('invalid_client', 700021, 'Client assertion application identifier does not match the client_id parameter.', 401);
  }
  if ((payload.exp ?? 0) <= now || (payload.nbf ?? 0) > now + 300) {
    throw new TokenError('invalid_client', 700024, 'Client assertion is not within its valid time range.', 401);
  }
}

async function readAssertion(app: AppState, assertion: string) {
  const header = decodeProtectedHeader(assertion);
  const named = (certificate: CertificateState) =>
    (certificate.x5tS256 !== null && certificate.x5tS256 === header['x5t#S256']) ||
    (certificate.x5t !== null && certificate.x5t === header.x5t);
  const certificate = app.certificates.find(named);
  if (certificate !== undefined) {
    const key = createPublicKey({ key: certificate.publicKey, format: 'jwk' });
    await compactVerify(assertion, key, { algorithms: ['RS256', 'PS256'] });
  }
  return { certificate, payload: decodeJwt(assertion) };
}

function checkScope({ graphUrl }: Addresses, scope: string | null): void {
  if (scope === `${graphUrl}/.default` || scope === 'https://graph.microsoft.com/.default') return;
  if (scope?.endsWith('/.default') === true) {
    throw new TokenError('invalid_resource', 500011, 'The resource principal was not found in the tenant.');
  }
  throw new TokenError(
    'invalid_scope',
    1002012,
    'The provided value for scope is not valid. Client credential flows must have a scope that ends with /.default.',
  );
}

function refusal(store: Store, { error, number, message, status }: TokenError): Answer {
  const [traceId, correlationId, timestamp] = [
    randomUUID(),
    randomUUID(),
    store.now().toISOString().replace('T', ' ').replace(/\.\d+/, ''),
  ];
  return {
    status,
    headers: { 'cache-control': 'no-store' },
    body: {
      error,
      error_description: `AADSTS${number}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
      error_codes: [number],
      timestamp,
      trace_id: traceId,
      correlation_id: correlationId,
    },
  };
}
