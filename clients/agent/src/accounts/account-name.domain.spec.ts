import { expect, test } from '@jest/globals';
import { candidateName, checkedName, comment, markedId } from './account-name.domain.ts';

const id = '019ab111-0000-7000-8000-000000000001';

test.each(['jit-ann', '_x', 'a', 'a'.repeat(32)])('%s is a name', (name) => expect(checkedName(name)).toBe(name));

test.each(['', 'Ann', '-x', '1a', 'a b', 'a:b', 'a\nb', 'root;id', '../x', 'a.b', 'ä', 'a$', 'a'.repeat(33)])('%j is not a name', (name) =>
  expect(() => checkedName(name)).toThrow(/cannot be an account name/),
);

test.each([
  ['jit-ann', 1, 'jit-ann'],
  ['jit-ann', 2, 'jit-ann-2'],
  ['a'.repeat(32), 2, `${'a'.repeat(30)}-2`],
  ['a'.repeat(32), 12, `${'a'.repeat(29)}-12`],
])('candidate of %s, attempt %i', (wanted, attempt, name) => expect(candidateName(wanted, attempt)).toBe(name));

test.each([
  ['Anna Berg', `Anna Berg,,,,stint=${id}`],
  ['a:b,c=d\ne\u202ef', `a b c d e f,,,,stint=${id}`],
  ['   ', `Stint,,,,stint=${id}`],
  ['x,,,,stint=other', `x stint other,,,,stint=${id}`],
])('comment for %j', (name, text) => {
  expect(comment(name, id)).toBe(text);
  expect(markedId(text)).toBe(id);
});

test.each(['', 'root', 'Anna Berg,,,', 'stint=x', 'a,stint=x,,,', 'a,,,,other', 'a,,,,stint=', 'a,,,,stint=other'])(
  '%j is not ours',
  (gecos) => expect(markedId(gecos)).toBeNull(),
);
