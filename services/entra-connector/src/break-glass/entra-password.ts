import { randomInt } from 'node:crypto';
import type { LapsPolicy } from '@stint/contracts';
import { generateLapsPassword } from '@stint/crypto';

/**
 * A new password by the tenant's policy that Entra takes: 8 to 256 ASCII characters of three kinds at least. Words alone are of two
 * kinds, so they begin with a capital letter and end with a digit, which makes them no easier to guess.
 */
export function newEntraPassword(policy: LapsPolicy): string {
  const password = generateLapsPassword(policy);
  return policy.style === 'CHARACTERS' ? password : `${password.charAt(0).toUpperCase()}${password.slice(1)}-${randomInt(10)}`;
}
