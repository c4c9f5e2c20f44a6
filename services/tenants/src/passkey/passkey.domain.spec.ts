import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import { isFreshSignIn, refuseAnother, refuseRemoval, refuseSize, userHandle } from './passkey.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');

test.each([
  ['now', 0, true],
  ['299 s ago', -299, true],
  ['5 minutes ago', -300, true],
  ['301 s ago', -301, false],
  ['a day ago', -86_400, false],
  ['30 s ahead by the gateway’s clock', 30, true],
  ['31 s ahead', 31, false],
])('a sign-in of %s', (_, seconds, fresh) => {
  expect(isFreshSignIn(addSeconds(now, seconds).toISOString(), now)).toBe(fresh);
});
test.each([undefined, 'yesterday', ''])('a sign-in at %p is not fresh', (at) => expect(isFreshSignIn(at, now)).toBe(false));

describe('with so many passkeys', () => {
  test.each([
    [0, true, false],
    [1, true, false],
    [2, true, true],
    [5, true, true],
    [6, false, true],
    [7, false, true],
  ])('%i', (count, mayRegister, mayRemove) => {
    expect(refuseAnother(count) === null).toBe(mayRegister);
    expect(refuseRemoval(count) === null).toBe(mayRemove);
  });
});

test.each([
  [172, 400, true],
  [173, 103, false],
  [22, 401, false],
])('a credential id of %i and a key of %i characters', (id, key, kept) => {
  expect(refuseSize({ id: 'x'.repeat(id), publicKey: 'x'.repeat(key) }) === null).toBe(kept);
});

test('a user handle is the 16 bytes of the id', () => {
  const id = newId();
  expect(userHandle(id).toString('hex')).toBe(id.replaceAll('-', ''));
});
