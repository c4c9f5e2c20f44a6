import { describe, expect, test } from '@jest/globals';
import { readPages } from './paging.ts';

/** A list of `size` numbers that records which pages were read. */
function aList(size: number) {
  const read: number[] = [];
  return {
    read,
    page: ({ first, after }: { first: number; after: string | null }) => {
      read.push(first);
      const start = after === null ? 0 : Number(after);
      const end = Math.min(size, start + first);
      const edges = Array.from({ length: end - start }, (_, index) => ({ node: start + index }));
      return Promise.resolve({ edges, pageInfo: { hasNextPage: end < size, endCursor: end === start ? null : String(end) } });
    },
  };
}

describe('a list', () => {
  test.each([
    ['empty', 0, 100, [100], false],
    ['of one page', 7, 100, [100], false],
    ['cut at the limit', 250, 100, [100], true],
    ['up to its last row', 100, 100, [100], false],
    ['over pages up to the limit', 250, 120, [100, 20], true],
    ['all of it', 250, Number.POSITIVE_INFINITY, [100, 100, 100], false],
    ['a single row', 250, 1, [1], true],
  ])('is read: %s', async (_what, size, limit, pages, more) => {
    const list = aList(size);
    const { items, more: left } = await readPages(limit, list.page);
    expect(items).toEqual(Array.from({ length: Math.min(size, limit) }, (_, index) => index));
    expect(list.read).toEqual(pages);
    expect(left).toBe(more);
  });

  test('ends where the server gives the same cursor for ever', async () => {
    const { items, more } = await readPages(Number.POSITIVE_INFINITY, () =>
      Promise.resolve({ edges: [{ node: 1 }], pageInfo: { hasNextPage: true, endCursor: 'x' } }),
    );
    expect({ items, more }).toEqual({ items: [1, 1], more: true });
  });
});
