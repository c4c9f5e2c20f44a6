import type { LapsAccountRowFragment, LapsAccountState } from '../generated/operations.ts';
import type { Cell, Field, Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';

const tones: Readonly<Record<LapsAccountState, Tone>> = {
  WAITING: 'warning',
  FOUND: 'warning',
  CONFIRMED: 'good',
  UNSURE: 'warning',
  STUCK: 'bad',
  OFF: 'quiet',
};

/** How an account stands, with its tone. */
export function stateCell({ state }: LapsAccountRowFragment): Cell {
  return { text: words(state), tone: tones[state] };
}

/** What somebody should look at; empty when all is well. */
export function attention(account: LapsAccountRowFragment): Cell {
  const text = [
    account.overdue ? 'overdue' : '',
    account.problem ?? '',
    account.finding === null ? '' : 'an account of this name is there: stint laps take-over',
    account.checkedOutUntil === null ? '' : `checked out until ${instant(account.checkedOutUntil)}`,
  ];
  return { text: text.filter((part) => part !== '').join('; '), tone: account.overdue || account.problem !== null ? 'bad' : 'warning' };
}

/** The computer that it is on. */
export function placeOf({ kind, device }: LapsAccountRowFragment): string {
  return kind === 'ENTRA' ? 'Entra ID' : (device?.hostName ?? '?');
}

/** Which account it is. */
export function accountPlace(account: LapsAccountRowFragment): Field[] {
  return [
    ['account', account.name],
    ['computer', placeOf(account)],
    ['customer', account.tenant?.name ?? '?'],
  ];
}

/** One account as it is shown to people. */
export function accountFields(account: LapsAccountRowFragment): Field[] {
  const out = account.checkedOutUntil === null ? null : instant(account.checkedOutUntil);
  return [
    ['id', account.id],
    ...accountPlace(account),
    ['kind', words(account.kind)],
    ['state', stateCell(account)],
    ['problem', account.problem === null ? '' : { text: account.problem, tone: 'bad' }],
    ['confirmed', instant(account.confirmedAt)],
    ['next change', instant(account.dueAt)],
    ['overdue', account.overdue ? { text: 'yes', tone: 'bad' } : ''],
    ['last read', instant(account.revealedAt)],
    ['passwords kept', String(account.versions)],
    ['checked out by', out === null ? '' : `${account.checkedOutBy?.displayName ?? '?'} until ${out}`],
    ...findingFields(account),
  ];
}

/** What the agent found under the account's name: what a take-over may break. */
export function findingFields({ finding }: LapsAccountRowFragment): Field[] {
  if (finding === null) return [];
  const uses = finding.uses.map((use): Field => ['in use by', { text: use, tone: 'warning' }]);
  return [
    ['found', 'an account of this name that is not ours'],
    ['its number', finding.uid === null ? 'unknown' : String(finding.uid)],
    ['its last log-on', instant(finding.lastLogOnAt) || 'unknown'],
    ['its groups', finding.groups.join(', ') || 'none'],
    ...(uses.length === 0 ? [['in use by', 'nothing that was seen'] as const] : uses),
    ['seen', instant(finding.seenAt)],
    ['digest', finding.digest],
  ];
}
