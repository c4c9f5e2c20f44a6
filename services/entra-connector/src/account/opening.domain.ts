import { addSeconds } from '@stint/kernel';
import type { RoleAssignment } from '../graph/roles.port.ts';
import { deadlineOf, endOf, type AssignmentKind, type EntraGrant } from '../grant/grant.domain.ts';
import { isSwitching, settlesSeconds } from './account.domain.ts';
import { earliest, isFor, type Step, type View } from './step.domain.ts';

/** Entra is asked again for a role that it does not show after so long. */
const askAgainSeconds = 30;
/** Entra's own end may be off by so much. */
const endToleranceSeconds = 30;
const shortestScheduleSeconds = 300;

/** Makes live grants real, and keeps those that are active as they must be. */
export function opening(view: View): Step {
  for (const grant of view.live) {
    const step = grant.phase === 'BEGINNING' ? begin(view, grant) : keep(view, grant);
    if (step !== null) return step;
  }
  return { do: 'REST', until: earliest(...view.live.map(deadlineOf)), problem: null };
}

/**
 * The account first, then the credential, then the role: as long as it has no role, everything about the account can be done with the
 * least privilege, and what fails before the role has given nobody anything.
 */
function begin(view: View, grant: EntraGrant): Step {
  const { account, sighting, protectedBy, now } = view;
  const { user, fresh } = sighting;
  if (protectedBy !== null) return { do: 'FAIL', grant, why: `Grants never touch this account: ${protectedBy}.` };
  if (grant.roleDefinitionId === null) return { do: 'CHECK', grant };
  if (account.kind === 'JIT') {
    if (user === null) return make(view, grant);
    const isOn = user.enabled || isSwitching(account, now);
    if (!isOn || !account.mayBeEnabled) return { do: 'ENABLE', grant };
    if (grant.credentialAt === null) return { do: 'ISSUE_CREDENTIAL', grant };
  } else if (sighting.doubt !== null && grant.assignAskedAt === null) {
    return { do: 'FAIL', grant, why: sighting.doubt };
  } else if (user === null) {
    return { do: 'FAIL', grant, why: 'This Entra tenant has no account with your e-mail address. Ask for an account of Stint’s instead.' };
  } else if (!user.enabled) {
    return { do: 'FAIL', grant, why: 'Your account in this Entra tenant is switched off.' };
  }
  const role = sighting.roles.find((one) => isFor(grant, one));
  if (role === undefined) {
    const asked = grant.assignAskedAt;
    if (asked === null || addSeconds(asked, askAgainSeconds) <= now) return { do: 'ASSIGN_ROLE', grant };
    return fresh ? { do: 'AWAIT', why: 'Entra does not show the role yet.' } : { do: 'LOOK' };
  }
  if (grant.assignmentKind === null) return { do: 'NOTE_ROLE', grant, assignment: role, kind: kindOf(view, grant, role) };
  if (!fresh) return { do: 'LOOK' };
  if (!user.enabled) return { do: 'AWAIT', why: 'Entra still shows the account as switched off.' };
  const pass = sighting.passes.find(({ id }) => id === grant.passId);
  if (grant.passId !== null && pass?.usable !== true) {
    return { do: 'AWAIT', why: `The Temporary Access Pass cannot be used: ${pass?.usability ?? 'Entra does not show it yet'}.` };
  }
  return { do: 'ACTIVATE', grant };
}

/** Of an account that is not ours, a role that nobody asked us for is none of ours. */
function kindOf({ account, grants }: View, grant: EntraGrant, role: RoleAssignment): AssignmentKind {
  const asked = grants.some((one) => one.assignAskedAt !== null && one.assignmentKind !== 'ALREADY' && isFor(one, role));
  if (account.kind === 'OWN' && grant.assignAskedAt === null && !asked) return 'ALREADY';
  return role.kind === 'SCHEDULED' && role.endsAt !== null ? 'SCHEDULE' : 'LEASE';
}

function make({ account, sighting }: View, grant: EntraGrant): Step {
  if (sighting.inBin && account.purgeRefusedAt === null) return { do: 'PURGE_USER' };
  // Deleted by hand: the next one is a new one.
  return account.objectId === null ? { do: 'CREATE_USER', grant } : { do: 'FORGET' };
}

/** Null when it is as it must be. */
function keep(view: View, grant: EntraGrant): Step | null {
  const { account, sighting, now } = view;
  const { user } = sighting;
  const role = sighting.roles.find((one) => isFor(grant, one));
  const missing =
    user === null
      ? 'The account was deleted by somebody else.'
      : account.kind === 'JIT' && !user.enabled
        ? 'The account was switched off by somebody else.'
        : role === undefined
          ? 'The role was taken away by somebody else.'
          : null;
  if (missing !== null) {
    if (!sighting.fresh) return { do: 'LOOK' };
    // What was made a moment ago may only be shown late. Somebody else’s “no” holds: it is not given again.
    const settled = grant.activeAt !== null && addSeconds(grant.activeAt, settlesSeconds) <= now;
    return settled ? { do: 'FAIL', grant, why: missing } : { do: 'AWAIT', why: missing };
  }
  if (account.kind === 'JIT' && grant.credentialAt === null) return { do: 'ISSUE_CREDENTIAL', grant };
  const endsAt = builtInEnd(view, grant);
  const isOff = role?.endsAt != null && endsAt !== null && Math.abs(role.endsAt.getTime() - endsAt.getTime()) > endToleranceSeconds * 1000;
  return isOff && role !== undefined ? { do: 'CHANGE_END', grant, assignment: role, endsAt } : null;
}

/** When Entra should end the role by itself: with the last grant that it serves. Null where it is not ours, or too near to be moved. */
function builtInEnd({ live, now }: View, grant: EntraGrant): Date | null {
  if (grant.assignmentKind !== 'SCHEDULE') return null;
  const ends = live.filter((one) => one.roleDefinitionId === grant.roleDefinitionId && one.scope === grant.scope).map(endOf);
  const last = new Date(Math.max(...ends.map((end) => end?.getTime() ?? 0)));
  return last > addSeconds(now, shortestScheduleSeconds) ? last : null;
}
