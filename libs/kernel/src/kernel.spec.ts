import { describe, expect, test } from '@jest/globals';
import { connection, idTime, isId, newId, pageRequest, Refusal } from './index.ts';

describe('ids', () => {
  test.each<[string, unknown, boolean]>([
    ['a new id', newId(), true],
    ['upper case', newId().toUpperCase(), false],
    ['version 4', '3f6c0a52-0c4e-4c5a-9a46-7e0c4a0b7a11', false],
    ['braces', `{${newId()}}`, false],
    ['a trailing newline', `${newId()}\n`, false],
    ['nothing', undefined, false],
    ['a number', 7, false],
  ])('%s: %#', (_, value, expected) => {
    expect(isId(value)).toBe(expected);
  });

  test('carry their time (RFC 9562, appendix A.6)', () => {
    expect(idTime('017f22e2-79b0-7cc3-98c4-dc0c0c07398f').toISOString()).toBe('2022-02-22T19:22:22.000Z');
  });
});

describe('pages', () => {
  test.each([0, -1, 101, 10_000_000, Number.NaN])('first: %p is refused', (first) => {
    expect(() => pageRequest({ first })).toThrow(Refusal);
  });

  test.each(['', 'nonsense', Buffer.from('1 or 1=1').toString('base64url')])('after: %p is refused', (after) => {
    expect(() => pageRequest({ after })).toThrow('after is not a cursor');
  });

  test('a surplus row says that there is more, and the cursor leads there', () => {
    const rows = [{ id: newId() }, { id: newId() }, { id: newId() }];
    const page = connection(rows, pageRequest({ first: 2 }));
    expect(page.edges.map((edge) => edge.node)).toEqual(rows.slice(0, 2));
    expect(page.pageInfo.hasNextPage).toBe(true);
    expect(pageRequest({ after: page.pageInfo.endCursor }).after).toBe(rows[1]?.id);
  });

  test('the last page and the empty one end', () => {
    expect(connection([], pageRequest({})).pageInfo).toEqual({ hasNextPage: false, endCursor: null });
  });
});
