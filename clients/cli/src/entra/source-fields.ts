import type {
  SourceChangeRowFragment,
  SourceGroupRowFragment,
  SourceReadingRowFragment,
  SourceTenantFragment,
  UserSourceChangeKind,
  UserSourceConflict,
  UserSourceSkipReason,
  UserSourceState,
} from '../generated/operations.ts';
import { CommandRefusal } from '../failure.ts';
import type { Output } from '../output.ts';
import { renderTable, type Column, type Field, type Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';

type Source = NonNullable<SourceTenantFragment['userSource']>;

const stateTones: Readonly<Record<UserSourceState, Tone>> = { OFF: 'quiet', ON: 'good', SWITCHING_OFF: 'warning' };

/** Shows a source: where it stands, what waits for somebody, and the chosen groups. */
export function showSource(output: Output, tenant: SourceTenantFragment, sentence?: string): void {
  const source = sourceOf(tenant);
  output.thing(source, sourceFields(source), sentence);
  if (source.groups.length > 0) output.block(`\n${renderTable(groupColumns, source.groups, output.colours)}`);
  const waits = source.held ?? source.preview;
  if (waits?.state === 'WAITING')
    output.note(
      `Who that is: stint entra source changes ${waits.id}\nYes: stint entra source apply ${waits.id}, no: … discard ${waits.id}`,
    );
}

/** The tenant's source, or what to do where none was begun. */
export function sourceOf({ userSource }: SourceTenantFragment): Source {
  if (userSource !== null) return userSource;
  throw new CommandRefusal(
    'NotFound',
    'This tenant has no user source. Find its groups with "stint entra source groups", and choose them with "stint entra source preview" first.',
  );
}

function sourceFields({ state, people, lastSyncAt, nextSyncAt, problem, preview, held }: Source): Field[] {
  return [
    ['state', { text: words(state), tone: stateTones[state] }],
    ['people', String(people)],
    ['asked Entra', instant(lastSyncAt)],
    ['asks again', instant(nextSyncAt)],
    ['problem', { text: problem ?? '', tone: 'bad' }],
    ['preview', preview === null ? '' : readingText(preview)],
    ['held', held === null ? '' : { text: readingText(held), tone: 'warning' }],
    ['held because', held?.heldBecause ?? ''],
  ];
}

export const groupColumns: Column<SourceGroupRowFragment>[] = [
  { title: 'GROUP IN ENTRA', show: ({ groupId }) => groupId },
  { title: 'NAME', show: ({ name, missing }) => (missing ? { text: `${name} (gone from Entra)`, tone: 'bad' } : name) },
  { title: 'TECHNICIAN GROUP', show: ({ technicianGroup }) => technicianGroup?.name ?? '?' },
  { title: 'ROLE', show: ({ role }) => (role === null ? '' : words(role)) },
];

function readingText({ id, state, counts }: SourceReadingRowFragment): string {
  if (counts === null) return `${id} (${words(state)})`;
  const { added, changed, switchedOff, switchedOn } = counts;
  return `${id} (${words(state)}): ${added} come, ${changed} change, ${switchedOff} are switched off, ${switchedOn} on again`;
}

/** A reading, and how many people it would change how. */
export function readingFields({ id, tenant, purpose, state, startedAt, heldBecause, counts }: SourceReadingRowFragment): Field[] {
  return [
    ['reading', id],
    ['tenant', tenant?.name ?? ''],
    ['for', purpose === 'PREVIEW' ? 'a preview' : 'a synchronization'],
    ['state', words(state)],
    ['begun', instant(startedAt)],
    ['held because', { text: heldBecause ?? '', tone: 'warning' }],
    ...(counts === null ? [] : countFields(counts)),
  ];
}

function countFields(counts: NonNullable<SourceReadingRowFragment['counts']>): Field[] {
  const some = (count: number, tone: Tone) => ({ text: String(count), tone: count === 0 ? ('quiet' as const) : tone });
  return [
    ['come', some(counts.added, 'good')],
    ['change', some(counts.changed, 'warning')],
    ['switched off', some(counts.switchedOff, 'bad')],
    ['switched on again', some(counts.switchedOn, 'good')],
    ['stay', String(counts.unchanged)],
    ['skipped', String(counts.skipped)],
    ['address in conflict', some(counts.conflicts, 'bad')],
  ];
}

const changeTones: Readonly<Record<UserSourceChangeKind, Tone>> = {
  ADDED: 'good',
  CHANGED: 'warning',
  SWITCHED_OFF: 'bad',
  SWITCHED_ON: 'good',
  SKIPPED: 'quiet',
};

const skipReasons: Readonly<Record<UserSourceSkipReason, string>> = {
  BREAK_GLASS: 'a break-glass account',
  GUEST: 'a guest',
  STINT_ACCOUNT: 'an account made by Stint',
  NO_ADDRESS: 'has no address',
  DISABLED: 'disabled or deleted in Entra',
};

const conflictReasons: Readonly<Record<UserSourceConflict, string>> = {
  LOCAL_TECHNICIAN: 'a local technician has the address: to be decided once applied',
  ADDRESS_TWICE: 'somebody else in the groups has the same address',
};

/** Whom a reading would change, and how. */
export const changeColumns: Column<SourceChangeRowFragment>[] = [
  { title: 'PERSON IN ENTRA', show: ({ objectId }) => objectId },
  { title: 'WHAT', show: ({ kind }) => ({ text: words(kind), tone: changeTones[kind] }) },
  { title: 'EMAIL', show: ({ email }) => email ?? '' },
  { title: 'NAME', show: ({ displayName }) => displayName ?? '' },
  { title: 'GROUPS', show: ({ technicianGroups }) => technicianGroups.map(({ name }) => name).join(', ') },
  { title: 'ROLES', show: ({ roles }) => roles.map(words).join(', ') },
  {
    title: 'NOTE',
    show: ({ why, conflict }) =>
      why !== null ? skipReasons[why] : conflict === null ? '' : { text: conflictReasons[conflict], tone: 'bad' },
  },
];
