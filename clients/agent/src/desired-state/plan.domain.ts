import type { EndReason, Phase } from '../state/agent-state.ts';

/** What the system says about an account. `PARTIAL`: neither usable as it should be nor safely off. */
export type Observed = 'ENABLED' | 'PARTIAL' | 'DISABLED' | 'ABSENT';

/** What the agent does next for one account. */
export type Step = { do: 'NOTHING' } | { do: 'ENABLE' } | { do: 'DISABLE'; reason: EndReason | null } | { do: 'REMOVE' };

export interface Situation {
  desired: { state: 'ENABLED' | 'DISABLED' | 'ABSENT'; grantId: string | null; serverThinksActive: boolean } | undefined;
  observed: Observed;
  /** What the agent wrote down before and after it acted. */
  record: { phase: Phase; grantId: string | null; endReason: EndReason | null } | undefined;
  /** The record's session is over. */
  expired: boolean;
  /** `activateBy` has not passed. */
  mayActivate: boolean;
}

const nothing: Step = { do: 'NOTHING' };
const enable: Step = { do: 'ENABLE' };
const disable = (reason: EndReason | null): Step => ({ do: 'DISABLE', reason });

/**
 * The next step for one account. Pure, so that every pair of what is wanted and what is stands in a table test. When in
 * doubt the account is disabled: an enabled account that nobody can account for is the one thing that must not stay.
 */
export function plan({ desired, observed, record, expired, mayActivate }: Situation): Step {
  const usable = observed === 'ENABLED' || observed === 'PARTIAL';
  const live = record?.phase === 'ENABLING' || record?.phase === 'ACTIVE';
  if (record?.phase === 'ENDING') return disable(record.endReason);
  if (live && expired) return disable('EXPIRED');
  if (desired?.state !== 'ENABLED') {
    if (live || usable) return disable(null);
    return desired?.state === 'ABSENT' && observed === 'DISABLED' ? { do: 'REMOVE' } : nothing;
  }
  const sameGrant = record !== undefined && record.grantId === desired.grantId;
  if (live && !sameGrant) return disable(null);
  if (record?.phase === 'ACTIVE') return observed === 'ENABLED' ? nothing : enable;
  if (record?.phase === 'ENABLING') return mayActivate ? enable : disable('NOT_ACTIVATED');
  // A grant is activated once: over is over, even while the server has not heard of it yet.
  if (sameGrant) return usable ? disable(record.endReason) : nothing;
  // The server saw this grant active, but this agent knows nothing of it: its memory was lost, and with it the deadline.
  if (desired.serverThinksActive) return disable(null);
  return mayActivate ? enable : disable('NOT_ACTIVATED');
}
