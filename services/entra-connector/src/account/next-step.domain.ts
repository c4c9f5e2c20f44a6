import { deadlineOf, isLive, type EntraGrant } from '../grant/grant.domain.ts';
import type { Sighting } from './account.domain.ts';
import { closing, heldBack, nextRemoval } from './closing.domain.ts';
import { opening } from './opening.domain.ts';
import { earliest, type Situation, type Step } from './step.domain.ts';

/**
 * The next single step towards what must be: an account has exactly the roles of its live grants, is enabled exactly while one is live,
 * and each of them has its credential. Ends come first. The same answer for the same state, so that whoever takes over after a crash
 * looks, and goes on.
 */
export function nextStep(situation: Situation, sighting: Sighting | null): Step {
  const { account, grants, technicianActive, now } = situation;
  const live = grants.filter((grant) => isLive(grant, technicianActive, now)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const over = grants.filter((grant) => !live.includes(grant));
  const [ended] = over;
  if (sighting === null) {
    if (live.length > 0 || !nothingGiven(situation)) return { do: 'LOOK' };
    // Nothing was ever asked for, so that there is nothing to look at.
    return ended === undefined ? { do: 'REST', until: null, problem: null } : { do: 'CONCLUDE', grant: ended };
  }
  const view = { ...situation, live, over, sighting };
  const removal = nextRemoval(view);
  if (removal !== null) return removal;
  if (account.kind === 'JIT' && live.length === 0) return closing(view);
  const held = heldBack(view);
  if (ended !== undefined && held === null) return sighting.fresh ? { do: 'CONCLUDE', grant: ended } : { do: 'LOOK' };
  const step = opening(view);
  return step.do === 'REST' && held !== null ? { do: 'REST', until: earliest(step.until, held.until), problem: held.problem } : step;
}

/** When a grant begins or ends by itself next; null when none does. */
export function nextDeadline(grants: readonly EntraGrant[], technicianActive: boolean, now: Date): Date | null {
  return earliest(...grants.filter((grant) => isLive(grant, technicianActive, now)).map(deadlineOf));
}

/** Nothing is in Entra, and no call is out that could have put something there. */
function nothingGiven({ account, grants }: Situation): boolean {
  if (account.kind === 'OWN') return grants.every(({ assignAskedAt }) => assignAskedAt === null);
  return account.objectId === null && account.creatingSince === null;
}
