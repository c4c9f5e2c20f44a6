import type { Sweep } from '@stint/messaging';
import { IdentityProviderRepository } from './identity-provider.repository.ts';

const providers = new IdentityProviderRepository();

/** Removes sign-ins that never came back from the identity provider. */
export const identityProviderSignInSweep: Sweep = {
  name: 'identity provider sign-ins',
  everyMs: 60_000,
  run: (tx, now) => providers.sweepSignIns(tx, now),
};
