import { addSeconds } from '@stint/kernel';
import type { RoleAssignment } from '../graph/roles.port.ts';
import { builtInSeconds, type EntraGrant } from '../grant/grant.domain.ts';
import { isSwitching, settlesSeconds } from './account.domain.ts';
import { earliest, isFor, type Step, type View } from './step.domain.ts';

const lastAdministrator =
  'It is the tenant’s last Global Administrator. The role stays until somebody else has it, so that nobody is locked out of the tenant; meanwhile nobody can sign in with the account. Give the role to another account.';
const tooSoon = 'Entra does not yet let the role be taken away again. It is tried until it is gone.';
const notShown = 'Entra has not said whether the role was given. It is watched until that is certain.';
const comesBack =
  'The account was deleted, and the role comes back with it if somebody restores it. It is watched until the role has ended by itself, or the account is gone for good.';
const purgeAgainSeconds = 86_400;
/** Without an end of its own, a role of a deleted account is looked for so often; reconciliation looks as well. */
const binAgainSeconds = 3_600;

/** A role that nobody should have now, if it can be taken away now. */
export function nextRemoval(view: View): Step | null {
  const { account, over, sighting, now } = view;
  if (sighting.lastAdministrator || (account.removeNotBefore !== null && now < account.removeNotBefore)) return null;
  // Privileged Identity Management takes nothing from whom it does not know any more: that is held until it ends, or the account is back.
  const assignment = surplus(view).find(({ kind }) => sighting.user !== null || kind === 'DIRECT');
  if (assignment === undefined) return null;
  return { do: 'REMOVE_ROLE', assignment, grant: over.find((grant) => isFor(grant, assignment)) ?? null };
}

/** Of our accounts every role without a live grant; of others only what a grant that is over has brought. */
function surplus({ account, live, over, sighting }: View): RoleAssignment[] {
  const { user, roles } = sighting;
  const unwanted = roles.filter((role) => !live.some((grant) => isFor(grant, role)));
  if (account.kind === 'JIT') return user === null ? [] : unwanted;
  return unwanted.filter((role) => over.some((grant) => isFor(grant, role) && isOurs(grant)));
}

function isOurs({ assignAskedAt, assignmentKind }: EntraGrant): boolean {
  return assignmentKind === null ? assignAskedAt !== null : assignmentKind !== 'ALREADY';
}

/** Why grants that are over cannot be concluded although nothing can be done now, and until when; null when they can. */
export function heldBack(view: View): { until: Date | null; problem: string } | null {
  const { account, over, sighting, now } = view;
  if (sighting.user === null && account.kind === 'JIT') return null;
  if (sighting.lastAdministrator) return { until: null, problem: lastAdministrator };
  const standing = surplus(view).filter(({ endsAt }) => sighting.user !== null || endsAt === null || endsAt > now);
  const ends = sighting.inBin ? [...standing.map(({ endsAt }) => endsAt), ...hidden(view)] : [];
  if (ends.length > 0) return { until: earliest(addSeconds(now, binAgainSeconds), ...ends), problem: comesBack };
  if (standing.length > 0) return { until: sighting.user === null ? null : account.removeNotBefore, problem: tooSoon };
  // Asked for and never seen: it may still turn up.
  const unseen = over
    .filter(({ assignAskedAt, assignmentKind }) => assignAskedAt !== null && assignmentKind === null)
    .map(({ assignAskedAt }) => addSeconds(assignAskedAt ?? now, settlesSeconds))
    .filter((settled) => settled > now);
  return unseen.length > 0 ? { until: earliest(...unseen), problem: notShown } : null;
}

/** When the roles of a deleted account end that were given, and not taken away since, whether or not Entra lists them meanwhile. */
function hidden({ over, now }: View): (Date | null)[] {
  return over
    .filter((grant) => isOurs(grant) && (grant.assignmentKind === null || grant.assignmentId !== null))
    .map(builtInEnd)
    .filter((end) => end === null || end > now);
}

/** When Entra ends the role by itself; null: it does not. */
function builtInEnd(grant: EntraGrant): Date | null {
  const { assignAskedAt, assignmentKind, builtInEndsAt } = grant;
  if (assignmentKind !== null || assignAskedAt === null) return builtInEndsAt;
  const seconds = builtInSeconds(grant);
  return seconds === null ? null : addSeconds(assignAskedAt, seconds);
}

/**
 * Takes everything away from one of our accounts, in the order that needs the least privilege: its roles are gone already, or cannot be
 * taken yet, in which case the rest does not wait for them.
 */
export function closing(view: View): Step {
  const { account, over, sighting, now } = view;
  const { user } = sighting;
  if (user !== null) {
    const isOn = account.mayBeEnabled || (user.enabled && !isSwitching(account, now));
    if (isOn && !sighting.lastAdministrator) return { do: 'DISABLE' };
    const [pass] = sighting.passes;
    if (pass !== undefined) return { do: 'DELETE_PASS', passId: pass.id };
    if (account.sessionsOpen) return { do: 'REVOKE_SESSIONS' };
    if (account.passwordKnown) return { do: 'RESET_PASSWORD' };
  }
  const settled = account.creatingSince === null ? null : addSeconds(account.creatingSince, settlesSeconds);
  if (user === null && settled !== null && now < settled) {
    return {
      do: 'REST',
      until: settled,
      problem: over.length > 0 ? 'Entra has not said whether the account was made. It is watched until that is certain.' : null,
    };
  }
  if (!sighting.fresh) return { do: 'LOOK' };
  const held = heldBack(view);
  if (held !== null) return { do: 'REST', ...held };
  if (user?.enabled === true) return { do: 'AWAIT', why: 'Entra still shows the account as switched on.' };
  const [grant] = over;
  if (grant !== undefined) return { do: 'CONCLUDE', grant };
  return user === null ? vanishing(view) : resting(view);
}

/** Nothing of it is left but perhaps its trace in the recycle bin. */
function vanishing({ account, sighting, now }: View): Step {
  if (sighting.inBin) {
    const again = account.purgeRefusedAt === null ? now : addSeconds(account.purgeRefusedAt, purgeAgainSeconds);
    return again <= now ? { do: 'PURGE_USER' } : { do: 'REST', until: again, problem: account.problem };
  }
  return account.objectId === null && account.creatingSince === null ? { do: 'REST', until: null, problem: null } : { do: 'FORGET' };
}

/** Kept for the next grant, for so many days. */
function resting({ account, now }: View): Step {
  const until = addSeconds(account.restsSince ?? now, account.restDays * 86_400);
  return account.discard || until <= now ? { do: 'DELETE_USER' } : { do: 'REST', until, problem: null };
}
