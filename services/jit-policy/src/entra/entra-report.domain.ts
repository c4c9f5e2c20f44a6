import type { Payload } from '@stint/contracts';
import type { EntraGrant, GrantCommand, GrantEndReason } from '../grant/grant.domain.ts';

export type EntraReport = Pick<Payload<'entra-grant-reported'>, 'state' | 'at' | 'accountName' | 'why'>;

/** How much earlier than its time an end by the connector's own lease may be: clocks differ. */
const toleratedSeconds = 60;
const noWords = 'Access in Entra could not be given.';

/**
 * What a report of services/entra-connector means for the grant. States only ever go on, so that late, doubled and
 * reordered reports do nothing.
 */
export function commandOf({ state, at, why }: EntraReport, grant: EntraGrant, now: Date): GrantCommand {
  const secondsAgo = Math.max(0, (now.getTime() - new Date(at).getTime()) / 1000);
  const ended = (reason: GrantEndReason) =>
    // Gone is gone, whatever the connector knew: access is given once.
    ({ do: 'see-ended', revision: grant.target.version, reason, secondsAgo, privileged: [] }) as const;
  switch (state) {
    case 'ACTIVE':
      return { do: 'activate', secondsAgo };
    case 'ENDED':
      return ended(reasonOfEnd(grant, new Date(at)));
    case 'FAILED':
      // Nothing was given, or all of it was taken back from somebody who had it.
      return grant.activeAt === null && !wasTakenFrom(grant) ? { do: 'fail', why: why ?? noWords } : ended('ACCESS_REMOVED');
    case 'STUCK':
      return { do: 'see-stuck', reason: reasonOfEnd(grant, new Date(at)), revision: grant.target.version + 1 };
  }
}

/** Somebody, or a rule, ended it before it was active. */
function wasTakenFrom({ endReason }: EntraGrant): boolean {
  return endReason !== null && endReason !== 'NOT_ACTIVATED';
}

/** Why it ended where nobody here had ended it: by its own lease, or because somebody took it away in Entra. */
function reasonOfEnd({ approvedAt, expiresAt, sessionSeconds }: EntraGrant, at: Date): GrantEndReason {
  const due = expiresAt?.getTime() ?? approvedAt.getTime() + sessionSeconds * 1000;
  return at.getTime() >= due - toleratedSeconds * 1000 ? 'EXPIRED' : 'ACCESS_REMOVED';
}
