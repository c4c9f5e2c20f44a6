// as: services/jit-policy/src/grant/grant.domain.ts
import { Problem, addSeconds } from '@stint/kernel';
import { z } from 'zod';
import { type Account } from '../account/account.domain.ts';

export const sessionSeconds = z.number().int().min(60).max(28_800);

export interface Grant {
  state: 'APPROVED' | 'ACTIVE';
  expiresAt: Date | null;
  account: Account;
}

export function activate(grant: Grant, now: Date, seconds: number): Grant {
  if (grant.state !== 'APPROVED') throw new Problem('Conflict', 'The grant is active already.');
  return { ...grant, state: 'ACTIVE', expiresAt: addSeconds(now, seconds) };
}
