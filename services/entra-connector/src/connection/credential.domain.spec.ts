import { expect, test } from '@jest/globals';
import { checkedSecret, daysUntil, warningDue } from './credential.domain.ts';

const now = new Date('2026-11-23T12:00:00Z');
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000);

test.each<[number, number | null, number]>([
  [31, null, 31],
  [30, 30, 30],
  [15, 30, 15],
  [14, 14, 14],
  [3.5, 14, 4],
  [3, 3, 3],
  [0, 3, 0],
  [-2, 3, 0],
])('%d days before its end', (days, warning, left) => {
  expect(warningDue(inDays(days), now)).toBe(warning);
  expect(daysUntil(inDays(days), now)).toBe(left);
});

test('a secret ends with the beginning of its day', () => {
  expect(checkedSecret('abc~DEF.0123456789', '2027-05-31', now)).toEqual(new Date('2027-05-31T00:00:00Z'));
});

test.each([
  ['5f0c2a31-2f0e-4f5e-9f57-7d1a4cf1a111', '2027-05-31', 'secret', 'Value'],
  ['short', '2027-05-31', 'secret', '16 to 256'],
  ['with a space in between', '2027-05-31', 'secret', '16 to 256'],
  ['abc~DEF.0123456789', '31.05.2027', 'endsOn', 'for example'],
  ['abc~DEF.0123456789', '2027-13-31', 'endsOn', 'for example'],
  ['abc~DEF.0123456789', '2026-11-23', 'endsOn', 'has ended'],
])('%s until %s is refused at %s', (secret, endsOn, field, words) => {
  expect(() => checkedSecret(secret, endsOn, now)).toThrow(
    expect.objectContaining({ type: 'InvalidInput', fields: { field }, message: expect.stringContaining(words) }),
  );
});
