import { addSeconds } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import { longestWindowSeconds } from './totp.domain.ts';
import { TotpRepository } from './totp.repository.ts';

const totps = new TotpRepository();

/** Removes wrong codes that count for nothing any more: anybody can make rows by typing addresses that are nobody's. */
export const totpFailureSweep: Sweep = {
  name: 'remove old wrong codes',
  everyMs: 600_000,
  run: (tx, now) => totps.sweepFailures(tx, addSeconds(now, -longestWindowSeconds), now),
};
