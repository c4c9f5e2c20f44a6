import type { CloudAddresses } from '../graph/cloud.domain.ts';

/** What Microsoft sends along when it sends the browser back. */
export interface ConsentAnswer {
  /** `tenant`: who consented; null with an error. */
  entraTenantId: string | null;
  /** `admin_consent`. */
  given: boolean;
  /** `error`, such as `access_denied`; null without one. */
  error: string | null;
}

/** Where the browser comes back to: a page of the console, which calls `finishEntraConsent`. */
export function redirectUriOf(publicUrl: string): string {
  return `${publicUrl.replace(/\/+$/, '')}/entra/consent`;
}

/** Microsoft's page on which an administrator of the tenant consents (never that of `common`, where any tenant could). */
export function consentUrl(
  { loginUrl, graphUrl }: CloudAddresses,
  { entraTenantId, clientId, redirectUri, state }: { entraTenantId: string; clientId: string; redirectUri: string; state: string },
): string {
  const query = new URLSearchParams({ client_id: clientId, scope: `${graphUrl}/.default`, redirect_uri: redirectUri, state });
  return `${loginUrl}/${entraTenantId}/v2.0/adminconsent?${query.toString()}`;
}

/** Why the answer is no consent to this connection, and what to do; null when it is one. */
export function checkConsentAnswer(answer: ConsentAnswer, begunFor: string, connectedTo: string): string | null {
  if (answer.error === 'access_denied' || answer.error === 'consent_required') {
    return 'The administrator did not consent, or may not. Begin again, and sign in as a Global Administrator or Privileged Role Administrator of the tenant.';
  }
  if (answer.error !== null)
    return 'Microsoft reports an error instead of consent. Begin again; if it stays, check the redirect address in the app registration.';
  if (!answer.given || answer.entraTenantId === null) return 'Microsoft reports no consent. Begin again.';
  if (begunFor !== connectedTo) return 'The connection was changed since the consent was begun. Begin again.';
  if (answer.entraTenantId.toLowerCase() !== connectedTo) {
    return 'The consent was given in another Entra tenant than the one that is to be connected. Sign in with an administrator of that one, or correct the tenant id.';
  }
  return null;
}
