import type { DirectoryError } from './directory-error.ts';
import type { Urgency } from './directory.port.ts';

/** Where a call stands that has failed just now. */
export interface Attempted {
  /** How many times it was tried, this one included. */
  attempts: number;
  /** How long it has waited between them. */
  waitedMs: number;
  urgency: Urgency;
  /** Done twice it has the same effect as done once. */
  repeatable: boolean;
}

/** How long a call may wait in all: whoever waits for it can be asked to come back, a sweep comes back by itself. */
export const waitBudgetMs: Record<Urgency, number> = { HIGH: 15_000, LOW: 60_000 };
const mostAttempts = 7;
const firstWaitMs = 1_000;
const longestWaitMs = 16_000;

/**
 * How many milliseconds to wait before the same call is tried again, or null to give up. Microsoft's word is obeyed exactly; without
 * one the wait doubles and is spread by `chance` (0 to 1).
 */
export function retryDelayMs(error: DirectoryError, call: Attempted, chance: number): number | null {
  if (!mayRepeat(error, call) || call.attempts >= mostAttempts) return null;
  const told = error.retryAfterSeconds;
  const doubled = Math.min(longestWaitMs, firstWaitMs * 2 ** (call.attempts - 1));
  const delayMs = told === null ? Math.round(doubled * (0.5 + chance / 2)) : told * 1000;
  return call.waitedMs + delayMs <= waitBudgetMs[call.urgency] ? delayMs : null;
}

function mayRepeat(error: DirectoryError, { repeatable }: Attempted): boolean {
  switch (error.kind) {
    case 'THROTTLED':
    case 'NOT_YET':
      return true;
    case 'UNAVAILABLE':
      return repeatable || !error.mayHaveHappened;
    default:
      return false;
  }
}
