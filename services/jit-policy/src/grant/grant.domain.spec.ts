import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import {
  approvedGrant,
  decideGrant,
  grantStates,
  isCarried,
  isLive,
  nudgeEverySeconds,
  sessionTimes,
  stuckAfterSeconds,
  type Grant,
  type GrantCommand,
  type GrantState,
} from './grant.domain.ts';

const approvedAt = new Date('2026-11-23T12:00:00Z');
const at = (seconds: number) => addSeconds(approvedAt, seconds);
const endRevision = 9;

/** A grant of 600 s; ACTIVE since 12:00:10, ending since 12:01:00. */
function aGrant(state: GrantState = 'APPROVED'): Grant {
  const approved = approvedGrant(
    {
      mspId: newId(),
      tenantId: newId(),
      id: newId(),
      loginRequestId: newId(),
      deviceId: newId(),
      technicianId: newId(),
      accountId: newId(),
      accountName: 'jit-anna',
      reason: null,
      ticket: null,
      sessionSeconds: 600,
      approval: null,
      ruleId: null,
      ruleName: null,
      maxSeconds: 28_800,
    },
    approvedAt,
  );
  const active = { ...approved, state, activeAt: at(10), expiresAt: at(610) };
  const ending = { ...active, endingAt: at(60), endRevision, endReason: 'REVOKED' as const, nudgeAt: at(90) };
  switch (state) {
    case 'APPROVED':
      return approved;
    case 'ACTIVE':
      return active;
    case 'ENDING':
    case 'END_STUCK':
      return ending;
    case 'ENDED':
      return { ...ending, endedAt: at(70), nudgeAt: null };
    case 'FAILED':
      return { ...approved, state, failure: 'disk full' };
  }
}

const commands = {
  activate: { do: 'activate', secondsAgo: 2 },
  'activate, but it was too late': { do: 'activate', secondsAgo: 0 },
  end: { do: 'end', reason: 'REVOKED', revision: 10, carried: false },
  'end, another grant carries the account': { do: 'end', reason: 'REVOKED', revision: 10, carried: true },
  'tick, nothing is due': { do: 'tick', revision: 10, carried: false },
  'tick, everything is due': { do: 'tick', revision: 10, carried: false },
  'tick, due and carried': { do: 'tick', revision: 10, carried: true },
  'disabled as of the revision before the end': { do: 'see-disabled', revision: endRevision - 1, reason: null, secondsAgo: 1 },
  'disabled as of the revision of the end': { do: 'see-disabled', revision: endRevision, reason: null, secondsAgo: 1 },
  'ended by the agent: expired': { do: 'see-disabled', revision: 0, reason: 'EXPIRED', secondsAgo: 1 },
  'ended by the agent: logged off': { do: 'see-disabled', revision: 0, reason: 'LOGGED_OFF', secondsAgo: 1 },
  'ended by the agent: revoked, says it': { do: 'see-disabled', revision: 0, reason: 'REVOKED', secondsAgo: 1 },
  'another grant became active': { do: 'see-carried' },
  fail: { do: 'fail', why: 'disk full' },
} as const satisfies Record<string, GrantCommand>;
type Name = keyof typeof commands;

const when: Record<Name, Date> = {
  activate: at(12),
  'activate, but it was too late': at(121),
  end: at(65),
  'end, another grant carries the account': at(65),
  'tick, nothing is due': at(65),
  'tick, everything is due': at(60 + stuckAfterSeconds + 600),
  'tick, due and carried': at(60 + stuckAfterSeconds + 600),
  'disabled as of the revision before the end': at(65),
  'disabled as of the revision of the end': at(65),
  'ended by the agent: expired': at(65),
  'ended by the agent: logged off': at(65),
  'ended by the agent: revoked, says it': at(65),
  'another grant became active': at(65),
  fail: at(65),
};

type Outcome = GrantState | 'same';
const ending: Record<Name, Outcome> = {
  activate: 'same',
  'activate, but it was too late': 'same',
  end: 'same',
  'end, another grant carries the account': 'same',
  'tick, nothing is due': 'same',
  'tick, everything is due': 'END_STUCK',
  'tick, due and carried': 'END_STUCK',
  'disabled as of the revision before the end': 'same',
  'disabled as of the revision of the end': 'ENDED',
  'ended by the agent: expired': 'ENDED',
  'ended by the agent: logged off': 'ENDED',
  'ended by the agent: revoked, says it': 'same',
  'another grant became active': 'ENDED',
  fail: 'same',
};
const over = Object.fromEntries(Object.keys(commands).map((name) => [name, 'same'])) as Record<Name, Outcome>;
const table: Record<GrantState, Record<Name, Outcome>> = {
  APPROVED: {
    activate: 'ACTIVE',
    'activate, but it was too late': 'same',
    end: 'ENDING',
    'end, another grant carries the account': 'ENDED',
    'tick, nothing is due': 'same',
    'tick, everything is due': 'ENDING',
    'tick, due and carried': 'ENDED',
    'disabled as of the revision before the end': 'same',
    'disabled as of the revision of the end': 'same',
    'ended by the agent: expired': 'ENDED',
    'ended by the agent: logged off': 'ENDED',
    'ended by the agent: revoked, says it': 'same',
    'another grant became active': 'same',
    fail: 'FAILED',
  },
  ACTIVE: {
    activate: 'same',
    'activate, but it was too late': 'same',
    end: 'ENDING',
    'end, another grant carries the account': 'ENDED',
    'tick, nothing is due': 'same',
    'tick, everything is due': 'ENDING',
    'tick, due and carried': 'ENDED',
    'disabled as of the revision before the end': 'same',
    'disabled as of the revision of the end': 'same',
    'ended by the agent: expired': 'ENDED',
    'ended by the agent: logged off': 'ENDED',
    'ended by the agent: revoked, says it': 'same',
    'another grant became active': 'same',
    fail: 'same',
  },
  ENDING: ending,
  END_STUCK: ending,
  ENDED: over,
  FAILED: over,
};

describe('every state meets every command', () => {
  test('the table is complete', () => {
    expect(Object.keys(table).sort()).toEqual([...grantStates].sort());
  });

  const pairs = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([name, outcome]): [GrantState, Name, Outcome] => [state as GrantState, name as Name, outcome]),
  );
  test.each(pairs)('%s, %s: %s', (state, name, outcome) => {
    const grant = aGrant(state);
    const next = decideGrant(grant, commands[name], when[name]);
    if (outcome === 'same') return expect(next).toBe(grant);
    expect(next.state).toBe(outcome);
    // What the database demands of each state.
    expect(next.failure !== null).toBe(next.state === 'FAILED');
    if (next.state === 'ACTIVE') expect(next.expiresAt).not.toBeNull();
    if (next.state === 'ENDING' || next.state === 'END_STUCK')
      expect([next.endingAt, next.endRevision, next.endReason, next.nudgeAt]).not.toContain(null);
    if (next.state === 'ENDED') expect([next.endedAt, next.endReason]).not.toContain(null);
    // Once done, doing it again does nothing.
    if (command(name) !== 'tick') expect(decideGrant(next, commands[name], when[name])).toBe(next);
  });
  const command = (name: Name) => commands[name].do;
});

describe('when a session begins and ends: approved at 0 s, 600 s long', () => {
  test.each([
    ['reported at once', 0, 10, 10, 610],
    ['reported 30 s later', 30, 40, 10, 610],
    ['reported a day later', 86_400, 86_410, 10, 610],
    ['claims to have begun before the approval', 500, 10, 0, 600],
    ['a negative age counts as now', -500, 10, 10, 610],
    ['begins with the last second', 0, 120, 120, 720],
    ['a late report without age lengthens nothing', 0, 5000, 5000, 720],
    ['the clock went back before the approval', 0, -60, 0, 600],
  ])('%s', (_, secondsAgo, now, activeAt, expiresAt) => {
    expect(sessionTimes(aGrant(), secondsAgo, at(now))).toEqual({ activeAt: at(activeAt), expiresAt: at(expiresAt) });
  });

  test.each<[GrantState, number, boolean]>([
    ['APPROVED', 119.999, true],
    ['APPROVED', 120, false],
    ['ACTIVE', 609.999, true],
    ['ACTIVE', 610, false],
    ['ENDING', 0, false],
    ['END_STUCK', 0, false],
    ['ENDED', 0, false],
    ['FAILED', 0, false],
  ])('%s may be enabled after %p s: %p', (state, seconds, expected) => {
    expect(isLive(aGrant(state), at(seconds))).toBe(expected);
  });
});

describe('an end', () => {
  test('says why, since when, and which revision proves it', () => {
    expect(decideGrant(aGrant(), commands['tick, everything is due'], at(120))).toMatchObject({
      endReason: 'NOT_ACTIVATED',
      endingAt: at(120),
      endRevision: 10,
      nudgeAt: at(120 + nudgeEverySeconds),
    });
    expect(decideGrant(aGrant('ACTIVE'), commands['tick, everything is due'], at(610))).toMatchObject({
      endReason: 'EXPIRED',
      endingAt: at(610),
    });
    expect(decideGrant(aGrant('ACTIVE'), commands['ended by the agent: logged off'], at(65))).toMatchObject({
      endReason: 'LOGGED_OFF',
      endedAt: at(64),
    });
    expect(decideGrant(aGrant('ENDING'), commands['ended by the agent: expired'], at(65))).toMatchObject({
      endReason: 'REVOKED',
      endedAt: at(64),
    });
  });

  test.each([
    ['before the next nudge', 89, 'same'],
    ['is nudged', 90, 'ENDING'],
    ['is nudged until', 60 + stuckAfterSeconds - 1, 'ENDING'],
    ['it is stuck', 60 + stuckAfterSeconds, 'END_STUCK'],
  ])('%s', (_, seconds, expected) => {
    const grant = aGrant('ENDING');
    const next = decideGrant(grant, commands['tick, everything is due'], at(seconds));
    if (expected === 'same') return expect(next).toBe(grant);
    return expect(next).toMatchObject({ state: expected, nudgeAt: at(seconds + nudgeEverySeconds) });
  });

  test('a stuck one is nudged for ever', () => {
    const grant = { ...aGrant('END_STUCK'), nudgeAt: at(86_400) };
    expect(decideGrant(grant, commands['tick, everything is due'], at(86_400))).toMatchObject({
      state: 'END_STUCK',
      nudgeAt: at(86_400 + nudgeEverySeconds),
    });
  });
});

describe('an account is carried by another grant', () => {
  const active = aGrant('ACTIVE');
  test.each<[string, Grant[], number, boolean]>([
    ['that is active', [aGrant('ACTIVE')], 65, true],
    ['that is active, but its time is over', [aGrant('ACTIVE')], 610, false],
    ['not by one that is only approved', [aGrant('APPROVED')], 65, false],
    ['not by one that is ending', [aGrant('ENDING')], 65, false],
    ['not by itself', [], 65, false],
  ])('%s', (_, others, seconds, expected) => {
    expect(isCarried(active, [active, ...others], at(seconds))).toBe(expected);
  });
});
