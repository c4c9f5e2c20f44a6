/** The rows of a list that a command shows. */
export interface Page<Item> {
  items: Item[];
  /** True when the server has more rows than these. */
  more: boolean;
}

interface ConnectionPart<Item> {
  edges: readonly { node: Item }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** The largest page that the server gives. */
const pageSize = 100;

/** Reads at most `limit` rows of a connection, a page of up to 100 at a time. */
export async function readPages<Item>(
  limit: number,
  read: (page: { first: number; after: string | null }) => Promise<ConnectionPart<Item>>,
): Promise<Page<Item>> {
  const items: Item[] = [];
  for (let after: string | null = null; ;) {
    const { edges, pageInfo } = await read({ first: Math.min(pageSize, limit - items.length), after });
    items.push(...edges.map(({ node }) => node));
    // A page without a new cursor would be read for ever.
    const stuck = pageInfo.endCursor === null || pageInfo.endCursor === after;
    if (!pageInfo.hasNextPage || items.length >= limit || stuck) return { items, more: pageInfo.hasNextPage };
    after = pageInfo.endCursor;
  }
}
