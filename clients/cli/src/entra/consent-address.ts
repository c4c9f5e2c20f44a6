import { UsageError } from '../failure.ts';
import type { FinishEntraConsentInput } from '../generated/operations.ts';

/** What Microsoft appended to the address on which the browser came back; the console's page moves it behind the `#`. */
export function consentAnswer(address: string): FinishEntraConsentInput {
  const url = URL.canParse(address) ? new URL(address) : null;
  const answer = new URLSearchParams(url === null ? '' : url.search === '' ? url.hash.slice(1) : url.search);
  const state = answer.get('state');
  if (state === null) throw new UsageError('That is not the address on which the browser came back: it has "state=" in it.');
  return {
    state,
    entraTenantId: answer.get('tenant'),
    given: answer.get('admin_consent')?.toLowerCase() === 'true',
    error: answer.get('error'),
  };
}
