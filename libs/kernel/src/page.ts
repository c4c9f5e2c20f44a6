import { isId, type Id } from './ids.ts';
import { Refusal } from './problem.ts';

export const maxPageSize = 100;

/** One page of a keyset-paged list: at most `first` rows after the row `after`. */
export interface PageRequest {
  first: number;
  after: Id | null;
}

/** A Relay connection (https://relay.dev/graphql/connections.htm) without totals: they cost a scan. */
export interface Connection<Node> {
  edges: { cursor: string; node: Node }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Checks the Relay arguments `first` (1 to 100, default 50) and `after` (an opaque cursor). */
export function pageRequest(args: { first?: number | null; after?: string | null }): PageRequest {
  const first = args.first ?? 50;
  if (!(first >= 1 && first <= maxPageSize)) {
    throw new Refusal('MALFORMED', `first must be between 1 and ${maxPageSize}.`);
  }
  if (args.after == null) return { first, after: null };
  const after = Buffer.from(args.after, 'base64url').toString('utf8');
  if (!isId(after)) throw new Refusal('MALFORMED', 'after is not a cursor of this list; pass an endCursor as it was given.');
  return { first, after };
}

/** Makes a connection of rows read with `limit first + 1`; the surplus row only tells that there is a next page. */
export function connection<Node extends { id: Id }>(rows: Node[], page: PageRequest): Connection<Node> {
  const edges = rows.slice(0, page.first).map((node) => ({ cursor: Buffer.from(node.id).toString('base64url'), node }));
  return { edges, pageInfo: { hasNextPage: rows.length > page.first, endCursor: edges.at(-1)?.cursor ?? null } };
}
