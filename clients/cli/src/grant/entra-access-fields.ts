import type { EntraAccessShownFragment, EntraAssignmentKind, EntraGrantPhase, EntraStepOutcome } from '../generated/operations.ts';
import type { Output } from '../output.ts';
import { renderFields, renderTable, type Column, type Field, type Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';

const phaseTones: Readonly<Record<EntraGrantPhase, Tone>> = {
  BEGINNING: 'warning',
  ACTIVE: 'good',
  ENDING: 'warning',
  ENDED: 'quiet',
  FAILED: 'bad',
};
const outcomeTones: Readonly<Record<EntraStepOutcome, Tone>> = { DONE: 'good', REFUSED: 'bad', UNKNOWN: 'warning' };

const assignments: Readonly<Record<EntraAssignmentKind, string>> = {
  LEASE: 'until Stint takes the role away',
  SCHEDULE: 'ends by itself in Entra, too',
  ALREADY: 'the account had the role before, and keeps it',
};

/** Shows what was done and seen in Entra for a grant, below the grant itself. */
export function showEntraAccess(output: Output, access: EntraAccessShownFragment): void {
  output.block(`\n${renderFields(entraAccessFields(access), output.colours)}`);
  if (access.steps.length > 0) output.block(`\n${renderTable(stepColumns, access.steps, output.colours)}`);
}

function entraAccessFields(access: EntraAccessShownFragment): Field[] {
  return [
    ['in Entra', { text: words(access.phase), tone: phaseTones[access.phase] }],
    ['role', access.roleName],
    ['scope', access.scope === '/' ? 'the whole tenant' : access.scope],
    ['signs in as', access.accountName ?? ''],
    ['assigned', access.assignment === null ? '' : assignments[access.assignment]],
    ['ends there at', instant(access.builtInEndsAt)],
    ['seen active', instant(access.activeAt)],
    ['ending since', instant(access.endingSince)],
    ['stuck since', { text: instant(access.stuckSince), tone: 'bad' }],
    ['seen gone', instant(access.endedAt)],
    ['problem', { text: access.problem ?? '', tone: 'bad' }],
    ['failure', { text: access.failure ?? '', tone: 'bad' }],
    ['to know', access.notice ?? ''],
    ['still possible', { text: access.exposure ?? '', tone: 'warning' }],
  ];
}

const stepColumns: Column<EntraAccessShownFragment['steps'][number]>[] = [
  { title: 'BEGUN', show: ({ beganAt }) => instant(beganAt) },
  { title: 'STEP', show: ({ kind }) => words(kind) },
  { title: 'OUTCOME', show: ({ outcome }) => (outcome === null ? '?' : { text: words(outcome), tone: outcomeTones[outcome] }) },
  { title: 'DETAIL', show: ({ detail }) => detail ?? '' },
];
