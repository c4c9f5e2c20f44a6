import type { Answer } from '../http/answer.ts';
import type { Store } from '../state/store.ts';
import { signIn } from './sign-in.ts';

/**
 * POST {login}/{tenant}/portal, a form with `upn` and `pass` or `password`: a sign-in at a portal of Microsoft, for whoever is not in
 * this process. Microsoft has pages there; this is the emulator's own.
 */
export function answerPortal(store: Store, tenantName: string, form: URLSearchParams): Answer {
  const tenant = store.state.tenants.find(({ id }) => id === tenantName);
  if (tenant === undefined) return { status: 404, body: { error: { code: 'NotFound', message: 'There is no such tenant.' } } };
  const [pass, password] = [form.get('pass'), form.get('password')];
  const result = signIn(store, tenant, {
    upn: form.get('upn') ?? '',
    ...(pass !== null && { pass }),
    ...(password !== null && { password }),
  });
  return { status: result.signedIn ? 200 : 401, body: result };
}
