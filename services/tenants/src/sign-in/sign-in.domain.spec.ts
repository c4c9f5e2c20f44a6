import { expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { refusalText, refuseSignIn, type Attempt, type SignInFailure } from './sign-in.domain.ts';

const technicianId = newId();
const other = newId();
const attempt: Attempt = { technicianId, maySignIn: true, meansOther: false, vouchedFor: null, required: false };

test.each<[string, Partial<Attempt>, SignInFailure | null]>([
  ['by passkey alone', {}, null],
  ['switched off', { maySignIn: false }, 'switched-off'],
  ['with the user handle of somebody else', { meansOther: true }, 'other-person'],
  ['by passkey alone where the identity provider is required', { required: true }, 'identity-provider-required'],
  ['after the identity provider vouched for them', { required: true, vouchedFor: technicianId }, null],
  ['after it vouched, where it is not required', { vouchedFor: technicianId }, null],
  ['after it vouched for somebody else', { vouchedFor: other }, 'other-person'],
  ['after it vouched for somebody else, required', { required: true, vouchedFor: other }, 'other-person'],
  ['switched off, vouched for', { maySignIn: false, vouchedFor: technicianId }, 'switched-off'],
])('%s', (_, changes, failure) => {
  expect(refuseSignIn({ ...attempt, ...changes })).toBe(failure);
});

test('what is wrong is not told, but where to go is', () => {
  const told = (['unknown-passkey', 'signature', 'switched-off', 'challenge', 'counter', 'other-person'] as const).map(refusalText);
  expect(new Set(told).size).toBe(1);
  expect(refusalText('identity-provider-required')).toContain('identity provider');
});
