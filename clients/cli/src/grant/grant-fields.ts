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

/** One grant as it is shown to people. */
export function grantFields(grant: GrantRowFragment): Field[] {
  return [
    ['id', grant.id],
    ['state', stateCell(grant)],
    ['technician', grant.technician ? `${grant.technician.displayName} <${grant.technician.email}>` : '?'],
    ['device', grant.device?.hostName ?? '?'],
    ['account', grant.accountName],
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
