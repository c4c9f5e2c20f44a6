import { jwtVerify, SignJWT } from 'jose';
import { addSeconds } from '@stint/kernel';
import { GraphError } from '../http/answer.ts';
import type { AppState, TenantState } from '../state/state.ts';
import type { Store } from '../state/store.ts';

const lifetimeSeconds = 3599;

// Microsoft's own, whatever the address here: a token outlives a restart on another port.
const audience = 'https://graph.microsoft.com';

/** An access token for Graph: who the app is, and what it may do (`roles`), as it stood when the token was made. */
export async function makeAccessToken(store: Store, tenant: TenantState, app: AppState) {
  const accessToken = await new SignJWT({
    ...{ tid: tenant.id, appid: app.clientId, oid: app.servicePrincipalId, roles: app.granted ?? [], idtyp: 'app', ver: '1.0' },
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(`https://sts.windows.net/${tenant.id}/`)
    .setAudience(audience)
    .setIssuedAt(store.now())
    .setNotBefore(store.now())
    .setExpirationTime(addSeconds(store.now(), lifetimeSeconds))
    .sign(Buffer.from(store.state.tokenKey, 'base64url'));
  return { accessToken, lifetimeSeconds };
}

/** Whose token this is, and with which permissions. */
export async function readAccessToken(store: Store, authorization: string | undefined) {
  const [, token] = /^Bearer (.+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) throw refused('Access token is empty.');
  const { payload } = await jwtVerify(token, Buffer.from(store.state.tokenKey, 'base64url'), {
    audience,
    currentDate: store.now(),
    algorithms: ['HS256'],
  }).catch((error: unknown) => {
    throw refused(
      error instanceof Error && error.name === 'JWTExpired'
        ? 'Lifetime validation failed, the token is expired.'
        : 'Access token validation failure.',
    );
  });
  const tenant = store.state.tenants.find(({ id }) => id === payload['tid']);
  const app = tenant?.apps.find(({ clientId }) => clientId === payload['appid']);
  if (tenant === undefined || app === undefined || app.granted === null) {
    throw new GraphError(401, 'Authorization_IdentityNotFound', 'The identity of the calling application could not be established.');
  }
  return { tenant, app, permissions: payload['roles'] as string[] };
}

const refused = (message: string) => new GraphError(401, 'InvalidAuthenticationToken', message);
