import { addSeconds, type Id } from '@stint/kernel';
import type { ChangeKind, ChosenGroup, SkipReason } from './person.domain.ts';

/** What becomes of people when the source is switched off. */
export type Leaving = 'KEEP' | 'SWITCH_OFF';

/** The user source of a tenant. */
export interface UserSource {
  mspId: Id;
  tenantId: Id;
  /** The Entra tenant of its groups and people; null when it is off or, from before that was kept, until it is asked next. */
  entraTenantId: string | null;
  on: boolean;
  groups: ChosenGroup[];
  leaving: Leaving | null;
  usersCursor: string | null;
  groupsCursor: string | null;
  /** The chosen groups and those within them. */
  tracked: string[];
  /** Which delta is asked next, in a round that has begun or is to begin. */
  round: 'USERS' | 'GROUPS' | null;
  /** A delta told of something that makes the groups worth reading again. */
  changed: boolean;
  rereadAt: Date | null;
  fullAt: Date | null;
  dueAt: Date | null;
  attempts: number;
  problem: string | null;
  lastSyncAt: Date | null;
  version: number;
  fence: number;
}

export type ReadingState = 'READING' | 'COMPARING' | 'WAITING' | 'APPLYING' | 'APPLIED' | 'DISCARDED';

/** How many people a reading would change how. `left`: those of LEAVES who are in none of the groups any more. */
export type Counts = Record<ChangeKind, number> & { left: number; conflicts: number };

/** One reading of the members of chosen groups. */
export interface Reading {
  mspId: Id;
  tenantId: Id;
  id: Id;
  purpose: 'PREVIEW' | 'SYNC';
  /** The Entra tenant that is read; null until it was asked. */
  entraTenantId: string | null;
  state: ReadingState;
  groups: ChosenGroup[];
  startedAt: Date;
  place: number;
  cursor: string | null;
  tracked: string[] | null;
  missing: string[];
  usersCursor: string | null;
  groupsCursor: string | null;
  through: string | null;
  counts: Counts | null;
  /** Why it waits for somebody, or was given up. */
  heldBecause: string | null;
}

/** A person whom a reading would change. */
export interface FoundChange {
  id: Id;
  objectId: string;
  kind: ChangeKind;
  email: string | null;
  displayName: string | null;
  groupIds: Id[];
  roles: string[];
  why: SkipReason | null;
  conflict: 'LOCAL_TECHNICIAN' | 'ADDRESS_TWICE' | null;
}

/** What to do when another Entra tenant is connected than the one that the source is of. */
export const elsewhere = {
  is: 'The people of this user source are',
  whatToDo: 'preview groups of the new one and say yes to that, or switch the source off',
};

/** How often the deltas are asked. */
export const roundSeconds = 180;
/** What needs a person is looked at again so often. */
const stuckSeconds = 600;
/** How much later groups are read once more after a change: Entra shows some changes late. */
export const settleSeconds = 600;
/** How often everything is read again. */
export const fullSeconds = 86_400;
/** How long a preview may be said yes to: what it shows grows old. */
export const previewSeconds = 3600;
/** Graph watches no more groups with one delta. */
export const mostWatched = 50;

/** What is to be done next for a source. */
export type SourceStep = 'LET_GO' | 'READ' | 'COMPARE' | 'APPLY' | 'BEGIN' | 'USERS' | 'GROUPS' | 'WAIT';

/**
 * The next step of a source: first what was begun, then what is due. `open` are its open readings, the oldest first; one that waits for
 * somebody holds up nothing, and one that is being read no round: who is disabled must lose access meanwhile.
 */
export function nextStep(source: UserSource, open: readonly Pick<Reading, 'state'>[], now: Date): SourceStep {
  if (source.leaving !== null) return 'LET_GO';
  const under = open.find(({ state }) => state !== 'WAITING');
  if (under?.state === 'READING') return source.round !== null && isWatched(source) ? source.round : 'READ';
  if (under?.state === 'COMPARING') return 'COMPARE';
  if (under?.state === 'APPLYING') return 'APPLY';
  if (!source.on) return 'WAIT';
  if (source.usersCursor === null || isDue(source.fullAt, now)) return 'BEGIN';
  if (source.round !== null) return source.round;
  return source.changed || isDue(source.rereadAt, now) ? 'BEGIN' : 'WAIT';
}

/** Whether Entra can be asked what has changed among its people. */
function isWatched({ on, usersCursor }: UserSource): boolean {
  return on && usersCursor !== null;
}

/** The round of a source that is being read: the next one begins when it is due. */
export function roundMeanwhile(source: UserSource, now: Date): UserSource['round'] {
  const { lastSyncAt, round } = source;
  const due = lastSyncAt === null || addSeconds(lastSyncAt, roundSeconds) <= now;
  return due && isWatched(source) ? (round ?? 'USERS') : round;
}

/**
 * What a source goes on with after a failed step, and whether the reading under way is given up. A reading and the rounds take turns:
 * whichever fails, the other goes on.
 */
export function afterFailure(
  source: UserSource,
  step: SourceStep,
  reading: Pick<Reading, 'state' | 'purpose'> | undefined,
  failure: { passing: boolean; retryAfterSeconds: number | null },
  now: Date,
): { next: Pick<UserSource, 'round' | 'changed' | 'dueAt'>; givesUp: boolean } {
  const { passing, retryAfterSeconds } = failure;
  const { changed } = source;
  const paused = addSeconds(now, passing ? pauseSeconds(source.attempts, retryAfterSeconds) : stuckSeconds);
  if (reading?.state !== 'READING') return { next: { round: source.round, changed, dueAt: paused }, givesUp: false };
  if (step !== 'READ') return { next: { round: null, changed, dueAt: passing ? paused : now }, givesUp: false };
  const round = isWatched(source) ? 'USERS' : null;
  if (passing) return { next: { round, changed, dueAt: paused }, givesUp: false };
  if (reading.purpose === 'PREVIEW') return { next: { round, changed, dueAt: now }, givesUp: true };
  return { next: { round, changed: true, dueAt: round === null ? paused : addSeconds(now, roundSeconds) }, givesUp: true };
}

function isDue(at: Date | null, now: Date): boolean {
  return at !== null && at <= now;
}

/**
 * Why a synchronization asks a person first, or null: a group is gone, nobody is left, or more than a quarter of the people (and more
 * than two) are in none of the groups any more. Who was disabled or deleted does not count: that somebody did on purpose.
 */
export function reasonToHold(present: number, left: number, missing: number): string | null {
  if (left === 0) return null;
  const people = `${left} of ${present} people`;
  if (missing > 0)
    return `${missing === 1 ? 'A chosen group is' : `${missing} chosen groups are`} gone from Entra ID: ${people} would be switched off.`;
  if (left === present && present > 1) return `Nobody is in the chosen groups any more: ${people} would be switched off.`;
  if (left > 2 && left * 4 > present) return `Many have left the chosen groups at once: ${people} would be switched off.`;
  return null;
}

/** How long to wait after a failure that may pass: doubling from half a minute to half an hour, or as long as Microsoft says. */
export function pauseSeconds(attempts: number, retryAfterSeconds: number | null): number {
  return Math.max(Math.min(1800, 30 * 2 ** Math.min(attempts, 10)), retryAfterSeconds ?? 0);
}
