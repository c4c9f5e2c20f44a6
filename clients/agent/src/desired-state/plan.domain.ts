import type { EndReason, Phase } from '../state/agent-state.ts';

/** What the system says about an account. `PARTIAL`: neither usable as it should be nor safely off. */
export type Observed = 'ENABLED' | 'PARTIAL' | 'DISABLED' | 'ABSENT';

export interface GrantSituation {
  /** What the server says of it; undefined: nothing, or nothing any more. */
  desired: { serverThinksActive: boolean; mayActivate: boolean } | undefined;
  /** What the agent wrote down before and after it acted. */
  record: { phase: Phase; endReason: EndReason | null } | undefined;
  /** It began here by an offline code, and the server has not had its say yet. */
  offline: boolean;
  /** Its time is over. */
  expired: boolean;
  /** Its sessions have been without input or activity for too long. */
  idle: boolean;
}

/** What must become of one grant here. */
export type GrantVerdict = { is: 'KEEP' | 'BEGIN' | 'ENDING' | 'OVER' } | { is: 'END'; reason: EndReason | null };

const end = (reason: EndReason | null): GrantVerdict => ({ is: 'END', reason });

/** Judges one grant. Pure, so that every situation stands in a table test; in doubt it ends. */
export function planGrant({ desired, record, offline, expired, idle }: GrantSituation): GrantVerdict {
  switch (record?.phase) {
    case 'ENDING':
      return { is: 'ENDING' };
    // A grant is activated once: over is over, even while the server has not heard of it yet.
    case 'ENDED':
    case 'FAILED':
      return { is: 'OVER' };
    case 'ENABLING':
    case 'ACTIVE':
      if (expired) return end('EXPIRED');
      if (!desired && !offline) return end(null);
      if (record.phase === 'ENABLING') return offline || desired?.mayActivate ? { is: 'BEGIN' } : end('NOT_ACTIVATED');
      return idle ? end('IDLE') : { is: 'KEEP' };
    case undefined:
      if (!desired) return { is: 'OVER' };
      // The server saw this grant active, but this agent knows nothing of it: its memory was lost, and with it the deadline.
      if (desired.serverThinksActive) return end(null);
      return desired.mayActivate ? { is: 'BEGIN' } : end('NOT_ACTIVATED');
  }
}

/** What the agent does next for one account. */
export type Step =
  | { do: 'NOTHING' }
  /** Write down that these grants end, before anything is done about it. */
  | { do: 'END'; grants: { grantId: string; reason: EndReason | null }[] }
  /** The account stays on for others: end what runs for these. */
  | { do: 'END_SESSIONS'; grantIds: string[] }
  /** Turn the account on (or put it right); these grants begin with it. */
  | { do: 'ENABLE'; grantIds: string[] }
  /** The account is on already: these grants begin without touching it. */
  | { do: 'ADMIT'; grantIds: string[] }
  | { do: 'DISABLE' }
  | { do: 'REMOVE' };

export interface AccountSituation {
  desired: 'ENABLED' | 'DISABLED' | 'ABSENT' | undefined;
  observed: Observed;
  grants: { grantId: string; verdict: GrantVerdict }[];
}

/**
 * The next step for one account: on while at least one grant is live, and off with the last one. Endings come before
 * beginnings; what ends with nobody else on goes through an account that was seen off. In doubt the account is disabled:
 * an enabled account that nobody can account for is the one thing that must not stay.
 */
export function planAccount({ desired, observed, grants }: AccountSituation): Step {
  const usable = observed === 'ENABLED' || observed === 'PARTIAL';
  const ids = (is: GrantVerdict['is']) => grants.filter(({ verdict }) => verdict.is === is).map(({ grantId }) => grantId);
  const ends = grants.flatMap(({ grantId, verdict }) => (verdict.is === 'END' ? [{ grantId, reason: verdict.reason }] : []));
  const [live, begin, ending] = [ids('KEEP'), ids('BEGIN'), ids('ENDING')];
  if (ends.length > 0) return { do: 'END', grants: ends };
  if (ending.length > 0) return live.length > 0 ? { do: 'END_SESSIONS', grantIds: ending } : { do: 'DISABLE' };
  if (begin.length > 0) return { do: live.length > 0 && observed === 'ENABLED' ? 'ADMIT' : 'ENABLE', grantIds: begin };
  if (live.length > 0) return observed === 'ENABLED' ? { do: 'NOTHING' } : { do: 'ENABLE', grantIds: [] };
  if (usable) return { do: 'DISABLE' };
  return desired === 'ABSENT' && observed === 'DISABLED' ? { do: 'REMOVE' } : { do: 'NOTHING' };
}
