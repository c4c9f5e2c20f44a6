import { badRequest, GraphError, type Answer } from './answer.ts';
import type { Call } from './call.ts';
import { readFilter } from './filter.ts';

/** How a collection is listed. */
export interface Listing<Thing> {
  /** Name for @odata.context, for example `users`. */
  context: string;
  present: (thing: Thing) => object;
  /** Properties without $select; null: all that `present` gives. */
  defaults?: readonly string[] | null;
  filterable: readonly string[];
  /** The most that $top may ask for; null: the endpoint knows no $top. */
  maximumTop: number | null;
}

/** Answers a collection: $filter, $select, $count, $top and pages with @odata.nextLink. */
export function list<Thing extends { id?: string }>(call: Call, things: readonly Thing[], listing: Listing<Thing>): Answer {
  const { query } = call;
  for (const name of query.keys()) {
    if (name.startsWith('$') && !['$filter', '$select', '$top', '$count', '$skiptoken'].includes(name)) {
      throw badRequest(`Query option '${name}' is not supported.`);
    }
  }
  const advanced = call.headers['consistencylevel'] === 'eventual' && query.get('$count') === 'true';
  if (query.get('$count') === 'true' && call.headers['consistencylevel'] !== 'eventual') {
    throw new GraphError(400, 'Request_BadRequest', '$count is not currently supported without the ConsistencyLevel: eventual header.');
  }
  const filter = query.get('$filter');
  const presented = things.map((thing) => listing.present(thing) as Record<string, unknown>);
  const found = filter === null ? presented : presented.filter(readFilter(filter, listing.filterable, advanced));
  const size = pageSize(call, listing.maximumTop);
  const from = readSkipToken(query.get('$skiptoken'), found);
  const page = found.slice(from, from + size);
  const last = page.at(-1);
  return {
    status: 200,
    body: {
      '@odata.context': `${call.root}/$metadata#${listing.context}`,
      ...(advanced && from === 0 ? { '@odata.count': found.length } : {}),
      ...(from + size < found.length && last !== undefined ? { '@odata.nextLink': nextLink(call, from + size, String(last['id'])) } : {}),
      value: page.map((thing) => select(thing, query.get('$select'), listing.defaults ?? null)),
    },
  };
}

/** One entity with $select. */
export function entity(call: Call, context: string, thing: object, defaults: readonly string[] | null = null, status = 200): Answer {
  return {
    status,
    body: {
      '@odata.context': `${call.root}/$metadata#${context}/$entity`,
      ...select(thing as Record<string, unknown>, call.query.get('$select'), defaults),
    },
  };
}

/** The properties that $select names, or the default ones. Unknown ones are refused. */
export function select(thing: Record<string, unknown>, wanted: string | null, defaults: readonly string[] | null): object {
  const names = wanted?.split(',').map((name) => name.trim()) ?? defaults;
  if (names === null) return thing;
  const unknown = names.find((name) => !(name in thing));
  if (unknown !== undefined) throw badRequest(`Could not find a property named '${unknown}'.`);
  const annotations = Object.keys(thing).filter((name) => name.startsWith('@odata'));
  const always = wanted !== null && 'id' in thing ? ['id'] : [];
  return Object.fromEntries([...new Set([...annotations, ...always, ...names])].map((name) => [name, thing[name]]));
}

function pageSize(call: Call, maximumTop: number | null): number {
  const top = call.query.get('$top');
  if (top === null) return call.pageSize;
  if (maximumTop === null) throw badRequest("Query option 'Top' is not allowed.");
  const wanted = Number(top);
  if (!/^\d+$/.test(top) || wanted < 1 || wanted > maximumTop) {
    throw badRequest(`Invalid page size specified: '${top}'. Must be between 1 and ${maximumTop} inclusive.`);
  }
  return wanted;
}

function nextLink(call: Call, offset: number, lastId: string): string {
  const query = new URLSearchParams(call.query);
  query.set('$skiptoken', Buffer.from(`${offset} ${lastId}`).toString('base64url'));
  return `${call.root}${encodePath(call.path)}?${query.toString()}`;
}

export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** A page goes on behind the last object of the one before, or where that was when it has gone meanwhile. */
function readSkipToken(given: string | null, found: readonly Record<string, unknown>[]): number {
  if (given === null) return 0;
  const [, offset, id] = /^(\d+) (.+)$/.exec(Buffer.from(given, 'base64url').toString()) ?? [];
  if (id === undefined) throw badRequest('The specified page token value is invalid.', { detail: 'Directory_ExpiredPageToken' });
  const at = found.findIndex((thing) => thing['id'] === id);
  return at === -1 ? Number(offset) - 1 : at + 1;
}
