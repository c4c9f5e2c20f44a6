import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import { approvedGrant, type Grant } from '../grant/grant.domain.ts';
import {
  decideLogin,
  isShownTo,
  shownLogin,
  startedLogin,
  storedLoginStates,
  type LoginCommand,
  type LoginRequest,
  type StoredLoginState,
} from './login.domain.ts';

const startedAt = new Date('2026-11-23T12:00:00Z');
const inTime = addSeconds(startedAt, 119.999);
const tooLate = addSeconds(startedAt, 120);

function aLogin(state: StoredLoginState = 'PENDING'): LoginRequest {
  const request = startedLogin(
    {
      mspId: newId(),
      tenantId: newId(),
      id: newId(),
      deviceId: newId(),
      method: 'QR',
      codeHash: Buffer.alloc(32),
      shownNumber: '07',
      hostName: 'ws-07',
      tenantName: 'Contoso Dental',
      sessionSeconds: 3600,
      accountKinds: ['LOCAL'],
      accountKind: 'LOCAL',
      domainObstacle: null,
    },
    startedAt,
  );
  return { ...request, state, failure: state === 'FAILED' ? 'before' : null };
}

const commands = {
  approve: { do: 'approve', sessionSeconds: 600 },
  'await-approval': { do: 'await-approval', sessionSeconds: 600, until: addSeconds(startedAt, 3600) },
  'approve-awaited': { do: 'approve-awaited', sessionSeconds: 600 },
  'deny-awaited': { do: 'deny-awaited' },
  deny: { do: 'deny' },
  disown: { do: 'disown' },
  cancel: { do: 'cancel' },
  supersede: { do: 'supersede' },
  fail: { do: 'fail', why: 'The computer was revoked.' },
  expire: { do: 'expire' },
} as const satisfies { [Name in LoginCommand['do']]: Extract<LoginCommand, { do: Name }> };
type Name = keyof typeof commands;

/** `same`: nothing changes. `Conflict`: the caller is told. */
type Outcome = StoredLoginState | 'same' | 'Conflict';
const nobodyWaits = {
  approve: 'Conflict',
  'await-approval': 'Conflict',
  'approve-awaited': 'Conflict',
  'deny-awaited': 'Conflict',
} as const;
const over = { ...nobodyWaits, deny: 'Conflict', disown: 'same', cancel: 'same', supersede: 'same', fail: 'same', expire: 'same' } as const;
const table: Record<StoredLoginState | 'PENDING but late' | 'AWAITING_APPROVAL but late', Record<Name, Outcome>> = {
  PENDING: {
    approve: 'APPROVED',
    'await-approval': 'AWAITING_APPROVAL',
    'approve-awaited': 'Conflict',
    'deny-awaited': 'Conflict',
    deny: 'DENIED',
    disown: 'DENIED',
    cancel: 'FAILED',
    supersede: 'FAILED',
    fail: 'FAILED',
    expire: 'same',
  },
  'PENDING but late': { ...over, expire: 'EXPIRED' },
  AWAITING_APPROVAL: {
    approve: 'Conflict',
    'await-approval': 'Conflict',
    'approve-awaited': 'APPROVED',
    'deny-awaited': 'DENIED',
    // With the code alone; other people deny the access request.
    deny: 'Conflict',
    // Whoever approved it cannot say so.
    disown: 'Conflict',
    cancel: 'FAILED',
    // The next login at the computer does not take the place of one that its technician approved.
    supersede: 'same',
    fail: 'FAILED',
    expire: 'same',
  },
  'AWAITING_APPROVAL but late': { ...over, disown: 'Conflict', expire: 'EXPIRED' },
  APPROVED: { ...over, disown: 'Conflict', cancel: 'Conflict' },
  DENIED: { ...over, deny: 'same' },
  EXPIRED: over,
  FAILED: over,
};

describe('every state meets every command', () => {
  test('the table is complete', () => {
    expect(Object.keys(table).sort()).toEqual([...storedLoginStates, 'PENDING but late', 'AWAITING_APPROVAL but late'].sort());
  });

  const pairs = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([name, outcome]): [string, Name, Outcome] => [state, name as Name, outcome]),
  );
  test.each(pairs)('%s, %s: %s', (state, name, outcome) => {
    const late = state.endsWith(' but late');
    const request = aLogin(state.replace(' but late', '') as StoredLoginState);
    const decide = () => decideLogin(request, commands[name], late ? tooLate : inTime);
    if (outcome === 'Conflict') return expect(decide).toThrow(expect.objectContaining({ type: 'Conflict' }));
    if (outcome === 'same') return expect(decide()).toBe(request);
    return expect(decide()).toMatchObject({ state: outcome });
  });
});

test.each<[string, Partial<LoginRequest>, { kind: string; id: string }, boolean]>([
  ['its device', {}, { kind: 'device', id: 'ws' }, true],
  ['another device', {}, { kind: 'device', id: 'asked' }, false],
  ['the technician who is asked', {}, { kind: 'technician', id: 'asked' }, true],
  ['another technician', {}, { kind: 'technician', id: 'other' }, false],
  ['another technician, nobody being asked', { askedTechnicianId: null }, { kind: 'technician', id: 'other' }, false],
  ['an API client', {}, { kind: 'client', id: 'c' }, false],
  ['another technician, once it was decided', { state: 'DENIED' }, { kind: 'technician', id: 'other' }, true],
  ['another technician, of a QR code', { method: 'QR', askedTechnicianId: null }, { kind: 'technician', id: 'other' }, true],
])('a PUSH login that waits is shown to %s: %#', (_, change, who, shown) => {
  const request = { ...aLogin(), deviceId: 'ws', method: 'PUSH' as const, askedTechnicianId: 'asked', ...change };
  expect(isShownTo(request, who)).toBe(shown);
});

describe('a decision', () => {
  test('approving settles the session, failing says why', () => {
    expect(decideLogin(aLogin(), commands.approve, inTime).sessionSeconds).toBe(600);
    expect(decideLogin(aLogin(), commands.fail, inTime).failure).toBe('The computer was revoked.');
    expect(decideLogin(aLogin(), commands.cancel, inTime).failure).toBe('It was cancelled at the computer.');
    expect(decideLogin(aLogin(), commands.supersede, inTime).failure).toBe('Another login was started at the computer.');
  });
});

test('a login that awaits other people lives longer, and settles the session', () => {
  const awaiting = decideLogin(aLogin(), commands['await-approval'], inTime);
  expect(awaiting).toMatchObject({ state: 'AWAITING_APPROVAL', sessionSeconds: 600, expiresAt: addSeconds(startedAt, 3600) });
  expect(decideLogin(awaiting, { do: 'approve-awaited', sessionSeconds: 300 }, addSeconds(startedAt, 3599))).toMatchObject({
    state: 'APPROVED',
    sessionSeconds: 300,
  });
  expect(shownLogin(awaiting, null, addSeconds(startedAt, 3599))).toEqual({ state: 'AWAITING_APPROVAL', failure: null });
  expect(shownLogin(awaiting, null, addSeconds(startedAt, 3600))).toEqual({ state: 'EXPIRED', failure: null });
});

describe('what clients see', () => {
  const aGrant = (change: Partial<Grant>): Grant => ({
    ...approvedGrant(
      {
        mspId: newId(),
        tenantId: newId(),
        id: newId(),
        technicianId: newId(),
        target: {
          ...{ kind: 'DEVICE', loginRequestId: newId(), deviceId: newId(), accountId: newId(), accountName: 'jit-anna' },
          ...{ idleEndSeconds: 600, removeNewPrivileged: false },
        },
        reason: null,
        ticket: null,
        sessionSeconds: 3600,
        maxSeconds: 28_800,
        ruleMaxSeconds: 28_800,
        approval: null,
        ruleId: null,
        ruleName: null,
      },
      startedAt,
    ),
    ...change,
  });
  const activeAt = addSeconds(startedAt, 5);

  test.each<[string, LoginRequest, Grant | null, Date, string, string | null]>([
    ['waits', aLogin(), null, inTime, 'PENDING', null],
    ['time is over though no sweep has run', aLogin(), null, tooLate, 'EXPIRED', null],
    ['denied', aLogin('DENIED'), null, tooLate, 'DENIED', null],
    ['failed', aLogin('FAILED'), null, tooLate, 'FAILED', 'before'],
    ['approved', aLogin('APPROVED'), aGrant({}), tooLate, 'APPROVED', null],
    ['active', aLogin('APPROVED'), aGrant({ state: 'ACTIVE', activeAt }), tooLate, 'ACTIVE', null],
    [
      'ending: not seen to have ended yet',
      aLogin('APPROVED'),
      aGrant({ state: 'ENDING', endReason: 'EXPIRED', activeAt }),
      tooLate,
      'ACTIVE',
      null,
    ],
    ['end stuck', aLogin('APPROVED'), aGrant({ state: 'END_STUCK', endReason: 'EXPIRED', activeAt }), tooLate, 'ACTIVE', null],
    ['revoked before it was active', aLogin('APPROVED'), aGrant({ state: 'ENDING', endReason: 'REVOKED' }), tooLate, 'APPROVED', null],
    ['ended', aLogin('APPROVED'), aGrant({ state: 'ENDED', endReason: 'LOGGED_OFF', activeAt }), tooLate, 'ENDED', null],
    [
      'the account could not be made',
      aLogin('APPROVED'),
      aGrant({ state: 'FAILED', failure: 'disk full' }),
      tooLate,
      'FAILED',
      'disk full',
    ],
    [
      'not made in time',
      aLogin('APPROVED'),
      aGrant({ state: 'ENDING', endReason: 'NOT_ACTIVATED' }),
      tooLate,
      'FAILED',
      'The computer did not make the account in time.',
    ],
  ])('%s', (_, request, grant, now, state, failure) => {
    expect(shownLogin(request, grant, now)).toEqual({ state, failure });
  });
});
