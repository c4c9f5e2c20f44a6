import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import {
  activationSeconds,
  approvedGrant,
  decideGrant,
  extendableUntil,
  grantStates,
  isLive,
  nudgeEverySeconds,
  sessionTimes,
  stuckAfterSeconds,
  warnAt,
  type Grant,
  type GrantCommand,
  type GrantState,
} from './grant.domain.ts';
import type { GrantTarget } from './grant-target.domain.ts';

const approvedAt = new Date('2026-11-23T12:00:00Z');
const at = (seconds: number) => addSeconds(approvedAt, seconds);
const endRevision = 9;

const targets: Record<GrantTarget['kind'], GrantTarget> = {
  DEVICE: {
    ...{ kind: 'DEVICE', deviceId: newId(), loginRequestId: newId(), accountId: newId(), accountName: 'jit-anna' },
    ...{ idleEndSeconds: 600, removeNewPrivileged: false },
  },
  ENTRA: {
    ...{ kind: 'ENTRA', roleName: 'User Administrator', scope: '/', accountKind: 'JIT', recipientKey: 'A'.repeat(43) },
    ...{ accountName: null, version: 8 },
  },
};

/** A grant of 600 s; ACTIVE since 12:00:10, ending since 12:01:00. */
function aGrant(state: GrantState = 'APPROVED', kind: GrantTarget['kind'] = 'DEVICE'): Grant {
  const approved: Grant = approvedGrant(
    {
      mspId: newId(),
      tenantId: newId(),
      id: newId(),
      technicianId: newId(),
      target: targets[kind],
      reason: null,
      ticket: null,
      sessionSeconds: 600,
      maxSeconds: 1200,
      ruleMaxSeconds: 1200,
      approval: null,
      ruleId: null,
      ruleName: null,
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

const by = { kind: 'technician' as const, id: newId() };
const seen = { do: 'see-ended', secondsAgo: 1, privileged: [] } as const;
const commands = {
  activate: { do: 'activate', secondsAgo: 2 },
  'activate, but it was too late': { do: 'activate', secondsAgo: 0 },
  end: { do: 'end', reason: 'REVOKED', revision: 10, by },
  'tick, nothing is due': { do: 'tick', revision: 10 },
  'tick, everything is due': { do: 'tick', revision: 10 },
  'ended as of the revision before the end': { ...seen, revision: endRevision - 1, reason: null },
  'ended as of the revision of the end': { ...seen, revision: endRevision, reason: null },
  'ended by the agent: expired': { ...seen, revision: 0, reason: 'EXPIRED' },
  'ended by the agent: logged off': { ...seen, revision: 0, reason: 'LOGGED_OFF' },
  'ended by the agent: idle': { ...seen, revision: 0, reason: 'IDLE' },
  'ended by the agent: revoked, says it': { ...seen, revision: 0, reason: 'REVOKED' },
  'ended by the agent: access removed, says it': { ...seen, revision: 0, reason: 'ACCESS_REMOVED' },
  extend: { do: 'extend', seconds: 300, maxSeconds: 1200 },
  shorten: { do: 'shorten', expiresAt: at(300) },
  fail: { do: 'fail', why: 'disk full' },
  'its end fails': { do: 'see-stuck', reason: 'EXPIRED', revision: 10 },
} as const satisfies Record<string, GrantCommand>;
type Name = keyof typeof commands;
/** A new command does not compile until it is here, and fails until it is above. */
const everyCommand: Record<GrantCommand['do'], true> = {
  ...{ activate: true, end: true, tick: true, 'see-ended': true, 'see-stuck': true, extend: true, shorten: true, fail: true },
};

const when = (name: Name, kind: GrantTarget['kind']): Date => {
  switch (name) {
    case 'activate':
      return at(12);
    case 'activate, but it was too late':
      return at(activationSeconds[kind] + 1);
    case 'tick, everything is due':
      return at(60 + stuckAfterSeconds + 900);
    default:
      return at(65);
  }
};

type Outcome = GrantState | 'same' | 'Conflict';
const live: Record<Name, Outcome> = {
  activate: 'same',
  'activate, but it was too late': 'same',
  end: 'ENDING',
  'tick, nothing is due': 'same',
  'tick, everything is due': 'ENDING',
  'ended as of the revision before the end': 'same',
  'ended as of the revision of the end': 'same',
  'ended by the agent: expired': 'ENDED',
  'ended by the agent: logged off': 'ENDED',
  'ended by the agent: idle': 'ENDED',
  'ended by the agent: revoked, says it': 'same',
  'ended by the agent: access removed, says it': 'same',
  extend: 'Conflict',
  shorten: 'Conflict',
  fail: 'same',
  'its end fails': 'END_STUCK',
};
const ending: Record<Name, Outcome> = {
  ...live,
  end: 'same',
  'tick, everything is due': 'END_STUCK',
  'ended as of the revision of the end': 'ENDED',
};
const over: Record<Name, Outcome> = {
  ...(Object.fromEntries(Object.keys(commands).map((name) => [name, 'same'])) as Record<Name, Outcome>),
  extend: 'Conflict',
  shorten: 'Conflict',
};
const onDevice: Record<GrantState, Record<Name, Outcome>> = {
  APPROVED: { ...live, activate: 'ACTIVE', fail: 'FAILED' },
  ACTIVE: { ...live, extend: 'ACTIVE', shorten: 'ACTIVE' },
  ENDING: ending,
  END_STUCK: { ...ending, 'its end fails': 'same' },
  ENDED: over,
  FAILED: over,
};
/** Nobody logs off there or stays idle; but somebody may take the role away. */
const otherwise: Partial<Record<Name, Outcome>> = {
  'ended by the agent: logged off': 'same',
  'ended by the agent: idle': 'same',
  'ended by the agent: access removed, says it': 'ENDED',
};
const inEntra: Record<GrantState, Record<Name, Outcome>> = {
  APPROVED: { ...onDevice.APPROVED, ...otherwise },
  ACTIVE: { ...onDevice.ACTIVE, ...otherwise },
  ENDING: { ...onDevice.ENDING, ...otherwise },
  END_STUCK: { ...onDevice.END_STUCK, ...otherwise },
  ENDED: over,
  FAILED: over,
};
const tables: Record<GrantTarget['kind'], typeof onDevice> = { DEVICE: onDevice, ENTRA: inEntra };

describe('every state meets every command', () => {
  test('the table is complete', () => {
    expect(Object.keys(onDevice).sort()).toEqual([...grantStates].sort());
    expect(new Set(Object.values(commands).map((command) => command.do))).toEqual(new Set(Object.keys(everyCommand)));
  });

  const pairs = Object.entries(tables).flatMap(([kind, table]) =>
    Object.entries(table).flatMap(([state, row]) =>
      Object.entries(row).map(([name, outcome]) => [kind as GrantTarget['kind'], state as GrantState, name as Name, outcome] as const),
    ),
  );
  test.each(pairs)('%s, %s, %s: %s', (kind, state, name, outcome) => {
    const grant = aGrant(state, kind);
    const decide = (from: Grant) => decideGrant(from, commands[name], when(name, kind));
    if (outcome === 'Conflict') return expect(() => decide(grant)).toThrow(expect.objectContaining({ type: 'Conflict' }));
    const next = decide(grant);
    if (outcome === 'same') return expect(next).toBe(grant);
    expect(next.state).toBe(outcome);
    // What the database demands of each state.
    expect(next.failure !== null).toBe(next.state === 'FAILED');
    if (next.state === 'ACTIVE') expect(next.expiresAt).not.toBeNull();
    if (next.state === 'ENDING' || next.state === 'END_STUCK')
      expect([next.endingAt, next.endRevision, next.endReason, next.nudgeAt]).not.toContain(null);
    if (next.state === 'ENDED') expect([next.endedAt, next.endReason]).not.toContain(null);
    // Once done, doing it again does nothing.
    if (!['tick', 'extend', 'shorten'].includes(commands[name].do)) expect(decide(next)).toBe(next);
  });
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

  test('in Entra, where the account may take 15 minutes', () => {
    const begun = decideGrant(aGrant('APPROVED', 'ENTRA'), { do: 'activate', secondsAgo: 0 }, at(900));
    expect(begun).toMatchObject({ state: 'ACTIVE', activeAt: at(900), expiresAt: at(1500) });
    expect(sessionTimes(aGrant('APPROVED', 'ENTRA'), 0, at(5000))).toEqual({ activeAt: at(5000), expiresAt: at(1500) });
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
      nudgeAt: at(120 + nudgeEverySeconds.DEVICE),
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
    return expect(next).toMatchObject({ state: expected, nudgeAt: at(seconds + nudgeEverySeconds.DEVICE) });
  });

  test('in Entra is told again every 5 minutes, from the first time on as stuck', () => {
    const grant = decideGrant(aGrant('ACTIVE', 'ENTRA'), commands.end, at(60));
    expect(grant.nudgeAt).toEqual(at(60 + nudgeEverySeconds.ENTRA));
    expect(decideGrant(grant, commands['tick, everything is due'], at(60 + nudgeEverySeconds.ENTRA))).toMatchObject({ state: 'END_STUCK' });
  });

  test('of one that was not active in time turns out as a failure when whoever could not make it says why', () => {
    const late = decideGrant(aGrant('APPROVED', 'ENTRA'), commands['tick, everything is due'], at(activationSeconds.ENTRA));
    expect(late).toMatchObject({ state: 'ENDING', endReason: 'NOT_ACTIVATED' });
    expect(decideGrant(late, commands.fail, at(1000))).toMatchObject({ state: 'FAILED', failure: 'disk full', nudgeAt: null });
  });

  test('a stuck one is nudged for ever', () => {
    const grant = { ...aGrant('END_STUCK'), nudgeAt: at(86_400) };
    expect(decideGrant(grant, commands['tick, everything is due'], at(86_400))).toMatchObject({
      state: 'END_STUCK',
      nudgeAt: at(86_400 + nudgeEverySeconds.DEVICE),
    });
  });
});

describe('a running session: active since 10 s, until 610 s, at most 1200 s in all', () => {
  const extend = (seconds: number, from = aGrant('ACTIVE'), maxSeconds = 1200) =>
    decideGrant(from, { do: 'extend', seconds, maxSeconds }, at(500));
  const shorten = (seconds: number) => decideGrant(aGrant('ACTIVE'), { do: 'shorten', expiresAt: at(seconds) }, at(500));

  test.each([
    ['a little', 60, 670],
    ['as far as the rule allows', 600, 1210],
    ['cut to what the rule allows', 3600, 1210],
  ])('is extended: %s', (_, seconds, expiresAt) => {
    expect(extend(seconds)).toMatchObject({ state: 'ACTIVE', expiresAt: at(expiresAt), sessionSeconds: expiresAt - 10 });
  });

  test('is not extended beyond its rule, nor after its end', () => {
    expect(() => extend(60, extend(3600))).toThrow('as long as it may already (1200 s)');
    expect(() => decideGrant(aGrant('ACTIVE'), { do: 'extend', seconds: 60, maxSeconds: 1200 }, at(610))).toThrow('running');
  });

  test('is extended neither beyond the rule as it is now, nor beyond the rule as it was', () => {
    expect(extend(3600, aGrant('ACTIVE'), 700)).toMatchObject({ expiresAt: at(710) });
    expect(extend(3600, aGrant('ACTIVE'), 28_800)).toMatchObject({ expiresAt: at(1210) });
    expect(() => extend(60, aGrant('ACTIVE'), 300)).toThrow('as long as it may already (300 s)');
  });

  test('that was shortened is not extended again', () => {
    expect(() => extend(60, shorten(520))).toThrow('as long as it may already (510 s)');
  });

  test('is shortened, and only shortened', () => {
    expect(shorten(520)).toMatchObject({ state: 'ACTIVE', expiresAt: at(520), sessionSeconds: 510 });
    for (const seconds of [500, 499, 610, 4000]) expect(() => shorten(seconds)).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
  });

  test('is told of its end 5 minutes before, a short one a quarter of its length', () => {
    expect(warnAt(aGrant('ACTIVE'))).toEqual(at(610 - 150));
    expect(warnAt({ sessionSeconds: 3600, expiresAt: at(3600) })).toEqual(at(3300));
    expect(warnAt(aGrant())).toBeNull();
  });

  test('tells how far it can be extended', () => {
    expect(extendableUntil(aGrant('ACTIVE'))).toEqual(at(1210));
    expect(extendableUntil(aGrant())).toBeNull();
  });

  test('keeps what changed in privileged groups, and who ended it', () => {
    const privileged = [{ groupName: 'sudo', added: ['mallory'], removed: [] }];
    const ended = decideGrant(aGrant('ACTIVE'), { do: 'see-ended', revision: 0, reason: 'LOGGED_OFF', secondsAgo: 0, privileged }, at(65));
    expect(ended.privilegedChanges).toEqual(privileged);
    expect(decideGrant(aGrant('ACTIVE'), commands.end, at(65)).endedBy).toEqual(by);
  });
});
