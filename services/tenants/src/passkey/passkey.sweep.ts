import type { Sweep } from '@stint/messaging';
import { PasskeyRepository } from './passkey.repository.ts';

const passkeys = new PasskeyRepository();

/** Removes challenges that nobody answered in time. */
export const passkeyChallengeSweep: Sweep = {
  name: 'passkey challenges',
  everyMs: 60_000,
  run: (tx, now) => passkeys.sweepChallenges(tx, now),
};
