import { expect, test } from '@jest/globals';
import type { CredentialFault } from './directory-error.ts';
import { tokenFailure } from './token-failure.domain.ts';

const refusal = { status: 401, error: 'invalid_client', description: '', numbers: [] as number[] };

test.each<[number, string, CredentialFault]>([
  [7000215, 'Invalid client secret provided.', 'SECRET_WRONG'],
  [7000222, 'The provided client secret keys are expired.', 'SECRET_EXPIRED'],
  [700027, 'The certificate with identifier used to sign the client assertion is not registered on application.', 'CERTIFICATE_UNKNOWN'],
  [700027, 'The certificate with identifier used to sign the client assertion is expired on application.', 'CERTIFICATE_EXPIRED'],
  [90002, "Tenant 'x' not found.", 'TENANT_UNKNOWN'],
  [900023, "Specified tenant identifier 'x' is neither a valid DNS name, nor a valid external domain.", 'TENANT_UNKNOWN'],
  [700016, 'Application with identifier was not found in the directory.', 'APP_UNKNOWN'],
  [7000112, 'Application is disabled.', 'APP_DISABLED'],
  [65001, 'The user or administrator has not consented to use the application.', 'CONSENT_MISSING'],
  [7000229, 'The client application is missing service principal in the tenant.', 'CONSENT_MISSING'],
  [53003, 'Access has been blocked by Conditional Access policies.', 'SIGN_IN_BLOCKED'],
  [70011, 'The provided scope is not valid.', 'REFUSED'],
])('AADSTS%d (%s) is %s', (number, description, fault) => {
  const error = tokenFailure({ ...refusal, description, numbers: [number] });
  expect(error).toMatchObject({ kind: 'CREDENTIAL', credential: fault, code: `AADSTS${number}` });
  expect(error.message).not.toContain(description);
});

test.each([
  [{ status: 429 }, 'THROTTLED'],
  [{ status: 503 }, 'UNAVAILABLE'],
  [{ status: 400, error: 'temporarily_unavailable' }, 'UNAVAILABLE'],
])('%j is %s', (change, kind) => {
  expect(tokenFailure({ ...refusal, ...change })).toMatchObject({ kind, credential: null });
});
