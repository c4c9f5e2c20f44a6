import { expect, test } from '@jest/globals';
import { addressesOf, clouds } from '../graph/cloud.domain.ts';
import { checkConsentAnswer, consentUrl, redirectUriOf, type ConsentAnswer } from './consent.domain.ts';

const tenant = '0b1f4c3e-1111-4222-8333-444455556666';
const yes: ConsentAnswer = { entraTenantId: tenant, given: true, error: null };

test.each<[string, Partial<ConsentAnswer>, string, string, string | null]>([
  ['a yes', {}, tenant, tenant, null],
  ['a yes in another spelling', { entraTenantId: tenant.toUpperCase() }, tenant, tenant, null],
  ['a no', { error: 'access_denied', given: false, entraTenantId: null }, tenant, tenant, 'did not consent'],
  ['a no beside a yes', { error: 'access_denied' }, tenant, tenant, 'did not consent'],
  ['an error', { error: 'server_error' }, tenant, tenant, 'an error instead'],
  ['nothing', { given: false }, tenant, tenant, 'no consent'],
  ['a yes of nobody', { entraTenantId: null }, tenant, tenant, 'no consent'],
  ['a yes of another tenant', { entraTenantId: '9b1f4c3e-1111-4222-8333-444455556666' }, tenant, tenant, 'another Entra tenant'],
  ['a yes to what was meanwhile changed', {}, tenant, 'other', 'was changed'],
])('%s', (_name, change, begunFor, connectedTo, words) => {
  const refusal = checkConsentAnswer({ ...yes, ...change }, begunFor, connectedTo);
  expect(refusal).toEqual(words === null ? null : expect.stringContaining(words));
});

test.each(clouds.map((cloud) => [cloud]))('the consent page of %s is that of one tenant, and comes back to the console', (cloud) => {
  const addresses = addressesOf(cloud, undefined);
  const redirectUri = redirectUriOf('https://stint.example.com/');
  const url = new URL(consentUrl(addresses, { entraTenantId: tenant, clientId: 'client', redirectUri, state: 'a/b+c' }));
  expect(`${url.origin}${url.pathname}`).toBe(`${addresses.loginUrl}/${tenant}/v2.0/adminconsent`);
  expect(Object.fromEntries(url.searchParams)).toEqual({
    ...{
      client_id: 'client',
      scope: `${addresses.graphUrl}/.default`,
      redirect_uri: 'https://stint.example.com/entra/consent',
      state: 'a/b+c',
    },
  });
  expect(addresses.loginUrl).toMatch(/^https:\/\/login\./);
});
