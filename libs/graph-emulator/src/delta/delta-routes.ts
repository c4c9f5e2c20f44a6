import { badRequest, GraphError, type Answer } from '../http/answer.ts';
import type { Call, Route } from '../http/call.ts';
import { readFilter } from '../http/filter.ts';
import { presentGroup } from '../groups/group-routes.ts';
import type { GroupState, TenantState, UserState } from '../state/state.ts';
import { addSeconds } from '@stint/kernel';
import { allows } from '../token/permissions.ts';
import { presentUser } from '../users/present-user.ts';

type Kind = 'users' | 'groups';

/** What a nextLink or deltaLink stands for. Callers see it as an opaque token. */
interface Round {
  kind: Kind;
  /** Changes after this step of the tenant's history… */
  since: number;
  /** …up to this one: what changes meanwhile belongs to the next round. */
  until: number;
  /** Goes on behind this id. */
  after: string;
  select: string[] | null;
  filter: string | null;
  at: string;
}

const lifetimeSeconds = 7 * 86_400;

function delta(kind: Kind) {
  return (call: Call): Answer => {
    const { tenant, store, query } = call;
    const asked = query.get('$deltatoken') ?? query.get('$skiptoken');
    if (query.get('$deltatoken') === 'latest') return page(call, { ...firstRound(call, kind), since: tenant.step }, []);
    const round = asked === null || asked === '' ? firstRound(call, kind) : readRound(asked, kind);
    if (round.since > 0 && (round.since < tenant.oldestDeltaStep || addSeconds(new Date(round.at), lifetimeSeconds) < store.now())) {
      throw expired(call, kind);
    }
    // A deltaLink begins a new round; a nextLink goes on with one.
    const current = query.has('$deltatoken') ? { ...round, until: tenant.step, after: '' } : round;
    return page(call, current, changesIn(call, current));
  };
}

function firstRound({ tenant, query, store }: Call, kind: Kind): Round {
  const expanded = query.get('$expand') === 'members' ? ['members'] : [];
  const select = query.get('$select')?.split(',').concat(expanded) ?? null;
  const filter = query.get('$filter');
  if (filter !== null && filter.split(/\bor\b/).length > 50) throw badRequest('The $filter of a delta query takes 50 objects at most.');
  return { kind, since: 0, until: tenant.step, after: '', select, filter, at: store.nowIso() };
}

/** The changes of a round, oldest id first. A first round tells what is there; later ones also what has gone. */
function changesIn({ tenant, headers }: Call, round: Round): { id: string }[] {
  const minimal = headers['prefer']?.includes('return=minimal') === true;
  const things: (UserState | GroupState)[] = round.kind === 'users' ? tenant.users : tenant.groups;
  const changed = things.flatMap((thing) => changeOf(tenant, thing, round, minimal) ?? []);
  const purged = tenant.purged
    .filter(({ kind, step }) => kind === round.kind && round.since > 0 && step > round.since && step <= round.until)
    .map(({ id }) => ({ id, '@removed': { reason: 'deleted' } }));
  const test = round.filter === null ? () => true : readFilter(round.filter, ['id'], false);
  return [...changed, ...purged].filter((change) => test(change)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function changeOf(tenant: TenantState, thing: UserState | GroupState, round: Round, minimal: boolean): { id: string } | null {
  const steps = Object.entries(thing.changed).filter(([, step]) => step > round.since && step <= round.until);
  const deleted = 'deletedDateTime' in thing && thing.deletedDateTime !== null;
  if (deleted) return round.since > 0 && steps.length > 0 ? { id: thing.id, ...{ '@removed': { reason: 'changed' } } } : null;
  const changed = new Set(steps.map(([property]) => property));
  // A restored user comes back whole.
  const wanted = (property: string) => round.select === null || round.select.includes(property);
  if (![...changed].some(wanted) && round.since > 0) return null;
  const shown = 'members' in thing ? presentGroup(thing) : presentUser(thing);
  const properties = Object.entries(shown).filter(
    ([property, value]) => property !== 'id' && wanted(property) && (minimal && round.since > 0 ? changed.has(property) : value !== null),
  );
  const members = 'members' in thing && wanted('members') ? membersDelta(tenant, thing, round) : {};
  return { id: thing.id, ...Object.fromEntries(properties), ...members };
}

function membersDelta(tenant: TenantState, group: GroupState, round: Round): object {
  const within = (step: number) => step > round.since && step <= round.until;
  const typeOf = (id: string) => (tenant.groups.some((one) => one.id === id) ? '#microsoft.graph.group' : '#microsoft.graph.user');
  const members = group.members.flatMap(({ id, addedIn, removedIn }) => {
    if (removedIn !== null && removedIn <= round.until) {
      return round.since > 0 && within(removedIn) ? [{ '@odata.type': typeOf(id), id, '@removed': { reason: 'deleted' } }] : [];
    }
    return within(addedIn) ? [{ '@odata.type': typeOf(id), id }] : [];
  });
  return members.length === 0 ? {} : { 'members@delta': members };
}

function page(call: Call, round: Round, changes: { id: string }[]): Answer {
  const rest = changes.filter(({ id }) => id > round.after);
  const value = rest.slice(0, call.pageSize);
  const last = value.at(-1);
  const address = `${call.root}/${round.kind}/delta`;
  const link =
    rest.length > value.length && last !== undefined
      ? { '@odata.nextLink': `${address}?$skiptoken=${token({ ...round, after: last.id })}` }
      : { '@odata.deltaLink': `${address}?$deltatoken=${token({ ...round, since: round.until, after: '', at: call.store.nowIso() })}` };
  return { status: 200, body: { '@odata.context': `${call.root}/$metadata#${round.kind}`, ...link, value } };
}

const token = (round: Round) => Buffer.from(JSON.stringify(round)).toString('base64url');

function readRound(given: string, kind: Kind): Round {
  try {
    const round = JSON.parse(Buffer.from(given, 'base64url').toString()) as Round;
    if (round.kind === kind) return round;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('The delta token is not valid.');
}

/** Synchronization reset ("Use delta query to track changes"): 410, and where to begin anew. */
function expired({ root }: Call, kind: Kind): GraphError {
  return new GraphError(
    410,
    'syncStateNotFound',
    'The sync state generation is not found. The delta token is expired and data must be synchronized again.',
    {
      headers: { location: `${root}/${kind}/delta?$deltatoken=` },
    },
  );
}

const route = (kind: Kind, name: string): Route => ({
  method: 'GET',
  pattern: `/${kind}/${name}`,
  permissions: kind === 'users' ? allows.readUsers : allows.readGroups,
  cost: 5,
  handle: delta(kind),
});

export const deltaRoutes: readonly Route[] = (['users', 'groups'] as const).flatMap((kind) =>
  ['delta', 'delta()', 'microsoft.graph.delta', 'microsoft.graph.delta()'].map((name) => route(kind, name)),
);
