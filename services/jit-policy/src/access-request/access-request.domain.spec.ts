import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import type { ApprovalProof } from '@stint/contracts';
import {
  accessRequestStates,
  approvedSeconds,
  decideRequest,
  type AccessRequest,
  type AccessRequestCommand,
  type AccessRequestState,
} from './access-request.domain.ts';

const requestedAt = new Date('2026-11-23T12:00:00Z');
const inTime = addSeconds(requestedAt, 3599.999);
const tooLate = addSeconds(requestedAt, 3600);
const [anna, bert, carl, dora, bosses] = [newId(), newId(), newId(), newId(), newId()];
const proof = { by: 'passkey', passkeyId: 'p' } as ApprovalProof;

function aRequest(state: AccessRequestState = 'PENDING', change: Partial<AccessRequest> = {}): AccessRequest {
  const over = state !== 'PENDING';
  return {
    ...{ mspId: newId(), tenantId: newId(), id: newId(), technicianId: anna, state },
    target: { kind: 'LOGIN', loginRequestId: newId(), deviceId: newId() },
    ...{ reason: null, ticket: null, sessionSeconds: 3600, ruleId: newId(), ruleName: 'Servers', needed: 2, approverGroupId: null },
    ...{ maxSeconds: 7200, proof: null, requestedAt, expiresAt: tooLate, endedAt: over ? requestedAt : null, endedBy: null },
    ...{ endedWhy: state === 'DENIED' || state === 'CANCELLED' ? 'before' : null, approvals: [] },
    ...change,
  };
}

const by = (id: string, ...groupIds: string[]) => ({ id, groupIds });
const approve = (id: string, sessionSeconds: number | null = null): AccessRequestCommand => ({
  do: 'approve',
  by: by(id),
  sessionSeconds,
  proof,
});
const approved = (id: string) => ({ approverId: id, sessionSeconds: 3600, proof, approvedAt: requestedAt });

const commands = {
  'the first approval': approve(bert),
  'the last approval': approve(carl),
  'the same approval again': approve(dora),
  'approval by the requester': approve(anna),
  denial: { do: 'deny', by: by(bert), why: 'Not today.' },
  'denial by the requester': { do: 'deny', by: by(anna), why: 'Not today.' },
  cancellation: { do: 'cancel', by: anna, why: 'Not needed.' },
  expiry: { do: 'expire' },
} as const satisfies Record<string, AccessRequestCommand>;
type Name = keyof typeof commands;
/** A new command does not compile until it is here, and fails until it is above. */
const everyCommand: Record<AccessRequestCommand['do'], true> = { approve: true, deny: true, cancel: true, expire: true };

/** `same`: nothing changes. `Conflict`, `NotAnApprover`: the caller is told. */
type Outcome = AccessRequestState | 'same' | 'Conflict' | 'NotAnApprover';
const over = {
  'the first approval': 'Conflict',
  'the last approval': 'Conflict',
  'the same approval again': 'same',
  'approval by the requester': 'NotAnApprover',
  denial: 'Conflict',
  'denial by the requester': 'NotAnApprover',
  cancellation: 'same',
  expiry: 'same',
} as const;
const table: Record<AccessRequestState | 'PENDING but late', Record<Name, Outcome>> = {
  PENDING: {
    'the first approval': 'PENDING',
    'the last approval': 'APPROVED',
    'the same approval again': 'same',
    'approval by the requester': 'NotAnApprover',
    denial: 'DENIED',
    'denial by the requester': 'NotAnApprover',
    cancellation: 'CANCELLED',
    expiry: 'same',
  },
  'PENDING but late': { ...over, expiry: 'EXPIRED' },
  APPROVED: { ...over, cancellation: 'Conflict' },
  DENIED: { ...over, denial: 'same' },
  EXPIRED: over,
  CANCELLED: over,
};

describe('every state meets every command', () => {
  test('the table is complete', () => {
    expect(Object.keys(table).sort()).toEqual([...accessRequestStates, 'PENDING but late'].sort());
    expect(new Set(Object.values(commands).map((command) => command.do))).toEqual(new Set(Object.keys(everyCommand)));
  });

  const pairs = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([name, outcome]): [string, Name, Outcome] => [state, name as Name, outcome]),
  );
  test.each(pairs)('%s, %s: %s', (state, name, outcome) => {
    const late = state.endsWith(' but late');
    // Dora has approved already; where somebody gives the first approval nobody else has.
    const needed = name === 'the first approval' ? 3 : 2;
    const request = aRequest(state.replace(' but late', '') as AccessRequestState, { needed, approvals: [approved(dora)] });
    const decide = () => decideRequest(request, commands[name], late ? tooLate : inTime);
    if (outcome === 'Conflict' || outcome === 'NotAnApprover') return expect(decide).toThrow(expect.objectContaining({ type: outcome }));
    if (outcome === 'same') return expect(decide()).toBe(request);
    const after = decide();
    expect(after).toMatchObject({ state: outcome });
    return expect(after).not.toBe(request);
  });
});

describe('approving', () => {
  test('takes as many different people as were demanded', () => {
    const first = decideRequest(aRequest(), approve(bert), inTime);
    expect(first).toMatchObject({ state: 'PENDING', endedAt: null, approvals: [{ approverId: bert, approvedAt: inTime }] });
    expect(decideRequest(first, approve(bert), inTime)).toBe(first);
    expect(decideRequest(first, approve(carl), inTime)).toMatchObject({ state: 'APPROVED', endedAt: inTime });
  });

  test('only shortens, and the shortest counts', () => {
    const first = decideRequest(aRequest(), approve(bert, 600), inTime);
    expect(first.sessionSeconds).toBe(600);
    expect(decideRequest(first, approve(carl, 900 - 600), inTime)).toMatchObject({ state: 'APPROVED', sessionSeconds: 300 });
    expect(decideRequest(first, approve(carl), inTime)).toMatchObject({ state: 'APPROVED', sessionSeconds: 600 });
    expect(() => decideRequest(first, approve(carl, 601), inTime)).toThrow(
      expect.objectContaining({ fields: { field: 'sessionSeconds' } }),
    );
  });

  test.each([59, 0, -1, 60.5, 3601, Number.NaN])('%s seconds are refused', (asked) => {
    expect(() => approvedSeconds({ sessionSeconds: 3600 }, asked)).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
  });

  test('is for the members of the group that was named', () => {
    const request = aRequest('PENDING', { approverGroupId: bosses });
    const command = (groups: string[]): AccessRequestCommand => ({ do: 'approve', by: by(bert, ...groups), sessionSeconds: null, proof });
    expect(() => decideRequest(request, command([]), inTime)).toThrow(expect.objectContaining({ type: 'NotAnApprover' }));
    expect(() => decideRequest(request, command([newId()]), inTime)).toThrow(expect.objectContaining({ type: 'NotAnApprover' }));
    expect(decideRequest(request, command([newId(), bosses]), inTime).approvals).toHaveLength(1);
    expect(() => decideRequest(request, { do: 'deny', by: by(bert), why: 'No.' }, inTime)).toThrow(
      expect.objectContaining({ type: 'NotAnApprover' }),
    );
  });

  test('the requester stays the requester, also in the approver group', () => {
    const request = aRequest('PENDING', { approverGroupId: bosses });
    expect(() => decideRequest(request, { do: 'approve', by: by(anna, bosses), sessionSeconds: null, proof }, inTime)).toThrow(
      expect.objectContaining({ type: 'NotAnApprover' }),
    );
  });
});

test('an end says who and why', () => {
  expect(decideRequest(aRequest(), commands.denial, inTime)).toMatchObject({ endedBy: bert, endedWhy: 'Not today.', endedAt: inTime });
  expect(decideRequest(aRequest(), commands.cancellation, inTime)).toMatchObject({ endedBy: anna, endedWhy: 'Not needed.' });
  expect(decideRequest(aRequest(), commands.expiry, tooLate)).toMatchObject({ endedBy: null, endedWhy: null });
});
