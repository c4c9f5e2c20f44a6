import { expect, test } from '@jest/globals';
import { expectType, ProblemError } from './index.ts';

type Result =
  { __typename: 'Grant'; id: string } | { __typename: 'InvalidInput'; message: string; field: string } | { __typename: 'NotFound' };

test('answers the wanted member, typed', () => {
  const result = { __typename: 'Grant', id: '1' } as Result;
  expect(expectType(result, 'Grant').id).toBe('1');
});

test.each<[Result, object]>([
  [
    { __typename: 'InvalidInput', message: 'Too long.', field: 'name' },
    { type: 'InvalidInput', message: 'Too long.', fields: { field: 'name' } },
  ],
  [{ __typename: 'NotFound' }, { type: 'NotFound', message: 'The answer was NotFound, not Grant.', fields: {} }],
])('throws any other member as a problem', (result, problem) => {
  expect(() => expectType(result, 'Grant')).toThrow(ProblemError);
  expect(() => expectType(result, 'Grant')).toThrow(expect.objectContaining(problem));
});

test('a document that forgot __typename is told so', () => {
  expect(() => expectType({ id: '1' } as unknown as Result, 'Grant')).toThrow('__typename');
});
