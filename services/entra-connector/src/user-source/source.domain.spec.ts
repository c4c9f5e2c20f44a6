import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import {
  afterFailure,
  nextStep,
  pauseSeconds,
  reasonToHold,
  roundMeanwhile,
  type ReadingState,
  type SourceStep,
  type UserSource,
} from './source.domain.ts';

const now = new Date('2026-11-29T12:00:00Z');
const later = new Date('2026-11-29T13:00:00Z');
const ago = (seconds: number) => addSeconds(now, -seconds);
const source: UserSource = {
  ...{
    mspId: newId(),
    tenantId: newId(),
    entraTenantId: null,
    on: true,
    groups: [],
    leaving: null,
    usersCursor: 'u',
    groupsCursor: 'g',
    tracked: [],
    round: null,
  },
  ...{ changed: false, rereadAt: null, fullAt: later, dueAt: now, attempts: 0, problem: null, lastSyncAt: null, version: 1, fence: 1 },
};

describe('the next step', () => {
  test.each<[string, Partial<UserSource>, ReadingState[], SourceStep]>([
    ['nothing is due', {}, [], 'WAIT'],
    ['a round begins', { round: 'USERS' }, [], 'USERS'],
    ['and goes on', { round: 'GROUPS' }, [], 'GROUPS'],
    ['what changed is read after the round', { round: 'GROUPS', changed: true }, [], 'GROUPS'],
    ['when it is over', { changed: true }, [], 'BEGIN'],
    ['and once more later', { rereadAt: now }, [], 'BEGIN'],
    ['not before', { rereadAt: later }, [], 'WAIT'],
    ['once a day everything is read', { fullAt: now, round: 'USERS' }, [], 'BEGIN'],
    ['without a cursor too', { usersCursor: null }, [], 'BEGIN'],
    ['groups that cannot be watched hold up nothing', { groupsCursor: null }, [], 'WAIT'],
    ['what was begun goes on', { changed: true }, ['READING'], 'READ'],
    ['but only after a round that is due', { round: 'GROUPS' }, ['READING'], 'GROUPS'],
    ['if there is anything to ask', { round: 'USERS', usersCursor: null }, ['READING'], 'READ'],
    ['what was read is compared', { round: 'USERS' }, ['COMPARING'], 'COMPARE'],
    ['and applied', {}, ['APPLYING'], 'APPLY'],
    ['one that waits for somebody holds up no round', { round: 'USERS' }, ['WAITING'], 'USERS'],
    ['nor another one', {}, ['WAITING', 'READING'], 'READ'],
    ['switched off, nothing is asked', { on: false, usersCursor: null, changed: true }, [], 'WAIT'],
    ['but a preview is read', { on: false }, ['READING'], 'READ'],
    ['people are let go of first', { on: false, leaving: 'KEEP' }, ['READING'], 'LET_GO'],
  ])('%s', (_, change, open, step) => {
    expect(
      nextStep(
        { ...source, ...change },
        open.map((state) => ({ state })),
        now,
      ),
    ).toBe(step);
  });
});

test.each<[string, Partial<UserSource>, UserSource['round']]>([
  ['begins when it is due', { lastSyncAt: ago(180) }, 'USERS'],
  ['not before', { lastSyncAt: ago(179) }, null],
  ['goes on', { lastSyncAt: ago(900), round: 'GROUPS' }, 'GROUPS'],
  ['never begins of a source that is off', { lastSyncAt: null, on: false }, null],
  ['nor where Entra does not know from where', { lastSyncAt: null, usersCursor: null }, null],
])('while it is read, a round %s', (_, change, round) => {
  expect(roundMeanwhile({ ...source, ...change }, now)).toBe(round);
});

describe('after a failure', () => {
  const unwatched = { usersCursor: null };
  test.each<[string, SourceStep, 'PREVIEW' | 'SYNC' | null, boolean, Partial<UserSource>, UserSource['round'], boolean, number, boolean]>([
    ['a round is asked again later', 'GROUPS', null, false, { round: 'GROUPS' }, 'GROUPS', false, 600, false],
    ['one that may pass sooner', 'USERS', null, true, { round: 'USERS' }, 'USERS', false, 30, false],
    ['of a round a reading goes on', 'USERS', 'PREVIEW', false, { round: 'USERS' }, null, false, 0, false],
    ['after a pause if it may pass', 'USERS', 'SYNC', true, { round: 'USERS' }, null, false, 30, false],
    ['of a reading that may pass a round goes on', 'READ', 'PREVIEW', true, {}, 'USERS', false, 30, false],
    ['a preview is given up, and a round goes on', 'READ', 'PREVIEW', false, {}, 'USERS', false, 0, true],
    ['a synchronization too, to be begun anew', 'READ', 'SYNC', false, {}, 'USERS', true, 180, true],
    ['rarely without a round', 'READ', 'SYNC', false, unwatched, null, true, 600, true],
  ])('%s', (_, step, purpose, passing, change, round, changed, seconds, givesUp) => {
    const reading = purpose === null ? undefined : { purpose, state: 'READING' as const };
    expect(afterFailure({ ...source, ...change }, step, reading, { passing, retryAfterSeconds: null }, now)).toEqual({
      next: { round, changed, dueAt: addSeconds(now, seconds) },
      givesUp,
    });
  });
});

describe('a synchronization asks first', () => {
  test.each<[string, number, number, number, boolean]>([
    ['when nobody left, not', 40, 0, 0, false],
    ['when one of many left, not', 40, 1, 0, false],
    ['when the only one left, not', 1, 1, 0, false],
    ['when two of three left, not', 3, 2, 0, false],
    ['when a quarter left, not', 40, 10, 0, false],
    ['when more than a quarter left', 40, 11, 0, true],
    ['when all left', 2, 2, 0, true],
    ['when a group is gone', 40, 1, 1, true],
    ['when a group is gone in which nobody was, not', 40, 0, 1, false],
  ])('%s', (_, present, left, missing, held) => {
    expect(reasonToHold(present, left, missing) !== null).toBe(held);
  });
});

test('pauses double up to half an hour, and are never shorter than Microsoft says', () => {
  expect([0, 1, 2, 9].map((attempts) => pauseSeconds(attempts, null))).toEqual([30, 60, 120, 1800]);
  expect(pauseSeconds(0, 90)).toBe(90);
});
