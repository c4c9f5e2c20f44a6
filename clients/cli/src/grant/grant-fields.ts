import type { GrantRowFragment, GrantState } from '../generated/operations.ts';
import type { Cell, Field, Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';

const tones: Readonly<Record<GrantState, Tone>> = {
  APPROVED: 'warning',
  ACTIVE: 'good',
  ENDING: 'warning',
  ENDED: 'quiet',
  END_STUCK: 'bad',
  FAILED: 'bad',
};

/** A grant's state with its tone. */
export function stateCell(grant: GrantRowFragment): Cell {
  return { text: words(grant.state), tone: tones[grant.state] };
}

/** Where it is, in a word: the computer, or the role in Entra. */
export function whereCell(grant: GrantRowFragment): string {
  return grant.entraRole === null ? (grant.device?.hostName ?? '?') : `Entra: ${grant.entraRole}`;
}

/** One grant as it is shown to people. */
export function grantFields(grant: GrantRowFragment): Field[] {
  return [
    ['id', grant.id],
    ['state', stateCell(grant)],
    ['technician', grant.technician ? `${grant.technician.displayName} <${grant.technician.email}>` : '?'],
    ['tenant', grant.tenant?.name ?? '?'],
    ...place(grant),
    ['account', grant.accountName ?? ''],
    ['reason', grant.reason ?? ''],
    ['ticket', grant.ticket ?? ''],
    ['approved', instant(grant.approvedAt)],
    ['active', instant(grant.activeAt)],
    ['ends at the latest', instant(grant.expiresAt)],
    ['ended', instant(grant.endedAt)],
    ['why it ended', grant.endReason === null ? '' : words(grant.endReason)],
    ['failure', grant.failure === null ? '' : { text: grant.failure, tone: 'bad' }],
  ];
}

function place(grant: GrantRowFragment): Field[] {
  if (grant.entraRole === null) return [['device', grant.device?.hostName ?? '?']];
  const own = grant.entraAccountKind === 'OWN';
  return [
    ['role in Entra', grant.entraRole],
    ['scope', grant.entraScope === '/' ? 'the whole tenant' : (grant.entraScope ?? '?')],
    ['kind of account', own ? "the technician's own" : 'made for the technician'],
  ];
}
