import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import {
  decideRecovery,
  recoverySeconds,
  refuseAdministrator,
  type Recovery,
  type RecoveryCommand,
  type RecoveryState,
} from './recovery.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const [msp, customer, sibling] = [newId(), newId(), newId()];
const [person, starter, second] = [newId(), newId(), newId()];
const recovery: Recovery = {
  ...{ mspId: msp, tenantId: customer, id: newId(), technicianId: person, reason: 'Lost phone', state: 'PENDING', startedBy: starter },
  ...{ startedAt: now, approvedBy: null, expiresAt: addSeconds(now, 1) },
};

const commands: Record<string, RecoveryCommand> = {
  'approve by a second': { do: 'approve', by: second },
  'approve by the starter': { do: 'approve', by: starter },
  'approve by the person': { do: 'approve', by: person },
  cancel: { do: 'cancel' },
  redeem: { do: 'redeem' },
};
type Outcome = RecoveryState | 'refused';
const none = Object.fromEntries(Object.keys(commands).map((name) => [name, 'refused' as Outcome]));
const table: Record<RecoveryState | 'PENDING but late' | 'APPROVED but late', Record<string, Outcome>> = {
  PENDING: { ...none, 'approve by a second': 'APPROVED', cancel: 'CANCELLED' },
  APPROVED: { ...none, cancel: 'CANCELLED', redeem: 'REDEEMED' },
  REDEEMED: none,
  CANCELLED: none,
  'PENDING but late': none,
  'APPROVED but late': none,
};

describe.each(Object.entries(table))('a recovery that is %s', (name, outcomes) => {
  test.each(Object.entries(outcomes))('%s: %s', (command, outcome) => {
    const late = name.endsWith('late');
    const before = { ...recovery, state: name.split(' ')[0] as RecoveryState, expiresAt: late ? now : recovery.expiresAt };
    const after = decideRecovery(before, commands[command] as RecoveryCommand, now);
    expect('refused' in after ? 'refused' : after.state).toBe(outcome);
  });
});

test('an approved one waits another 24 hours', () => {
  expect(decideRecovery(recovery, { do: 'approve', by: second }, now)).toMatchObject({
    ...{ approvedBy: second, expiresAt: addSeconds(now, recoverySeconds) },
  });
});

describe('an administrator', () => {
  test.each<[string, Parameters<typeof refuseAdministrator>, boolean]>([
    ['of the MSP', [{ id: second, active: true, over: [msp] }, person, [[msp, customer]]], true],
    ['of the customer', [{ id: second, active: true, over: [customer] }, person, [[msp, customer]]], true],
    ['of a sibling', [{ id: second, active: true, over: [sibling] }, person, [[msp, customer]]], false],
    [
      'of the customer, for somebody with a role above',
      [{ id: second, active: true, over: [customer] }, person, [[msp, customer], [msp]]],
      false,
    ],
    ['who is switched off', [{ id: second, active: false, over: [msp] }, person, [[msp, customer]]], false],
    ['who is the person', [{ id: person, active: true, over: [msp] }, person, [[msp, customer]]], false],
    ['of nothing any more', [{ id: second, active: true, over: [] }, person, [[msp, customer]]], false],
  ])('%s: %p', (_, input, allowed) => {
    expect(refuseAdministrator(...input) === null).toBe(allowed);
  });
});
