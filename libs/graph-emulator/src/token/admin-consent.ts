import type { Answer } from '../http/answer.ts';
import { hash, type Store } from '../state/store.ts';

/** GET {login}/{tenant}/v2.0/adminconsent: the administrator says yes at once (or no, where the tenant is set so), and is sent back. */
export function answerAdminConsent(store: Store, tenantName: string, query: URLSearchParams): Answer {
  const redirect = query.get('redirect_uri');
  const tenant = store.state.tenants.find(({ id, domains }) => id === tenantName || domains.some(({ name }) => name === tenantName));
  const app = tenant?.apps.find(({ clientId }) => clientId === query.get('client_id'));
  if (redirect === null || !URL.canParse(redirect) || tenant === undefined || app === undefined) {
    return {
      status: 400,
      body: { error: 'invalid_request', error_description: 'The tenant, the application or the redirect_uri is not known.' },
    };
  }
  const back = new URL(redirect);
  const state = query.get('state');
  if (state !== null) back.searchParams.set('state', state);
  if (tenant.declinesConsent) {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'AADSTS65004: User declined to consent to access the app.');
  } else {
    app.granted = [...app.requested];
    back.searchParams.set('tenant', tenant.id);
    back.searchParams.set('scope', query.get('scope') ?? 'https://graph.microsoft.com/.default');
    back.searchParams.set('admin_consent', 'True');
  }
  return { status: 302, headers: { location: back.href, 'x-ms-request-id': hash(back.href).slice(0, 36) } };
}
