import { describe, expect, test } from '@jest/globals';
import { addSeconds, newId } from '@stint/kernel';
import { approvedGrant, decideGrant, type EntraGrant, type GrantState } from '../grant/grant.domain.ts';
import type { EntraTarget } from '../grant/grant-target.domain.ts';
import { commandOf, type EntraReport } from './entra-report.domain.ts';

const approvedAt = new Date('2026-11-23T12:00:00Z');
const at = (seconds: number) => addSeconds(approvedAt, seconds);
const target: EntraTarget = {
  ...{ kind: 'ENTRA', roleName: 'User Administrator', scope: '/', accountKind: 'JIT', recipientKey: 'A'.repeat(43) },
  ...{ accountName: null, version: 4 },
};

/** A grant of 600 s; ACTIVE since 12:01, revoked or expired since 12:05. */
function aGrant(state: GrantState, change: Partial<EntraGrant> = {}): EntraGrant {
  const approved = approvedGrant<EntraTarget>(
    {
      ...{ mspId: newId(), tenantId: newId(), id: newId(), technicianId: newId(), target, reason: null, ticket: null },
      ...{ sessionSeconds: 600, maxSeconds: 1200, ruleMaxSeconds: 1200, approval: null, ruleId: null, ruleName: null },
    },
    approvedAt,
  );
  const active = state === 'APPROVED' ? approved : { ...approved, state, activeAt: at(60), expiresAt: at(660) };
  const ending = { endingAt: at(300), endRevision: 4, endReason: 'REVOKED' as const, nudgeAt: at(600) };
  return { ...active, ...(state === 'ENDING' || state === 'END_STUCK' ? ending : {}), ...change };
}

const report = (state: EntraReport['state'], seconds: number): EntraReport => ({
  ...{ state, at: at(seconds).toISOString(), accountName: null },
  why: state === 'FAILED' || state === 'STUCK' ? 'The pass policy forbids it.' : null,
});
const neverActive = { activeAt: null, expiresAt: null } as const;

describe('what the connector reports', () => {
  test.each<[string, EntraGrant, EntraReport, number, object]>([
    ['active', aGrant('APPROVED'), report('ACTIVE', 90), 95, { state: 'ACTIVE', activeAt: at(90), expiresAt: at(690) }],
    ['active, told late', aGrant('APPROVED'), report('ACTIVE', 90), 9000, { state: 'ACTIVE', activeAt: at(90), expiresAt: at(690) }],
    ['active by a clock that is ahead', aGrant('APPROVED'), report('ACTIVE', 90), 80, { state: 'ACTIVE', activeAt: at(80) }],
    ['failed', aGrant('APPROVED'), report('FAILED', 90), 95, { state: 'FAILED', failure: 'The pass policy forbids it.' }],
    [
      'failed after its time to begin was over',
      aGrant('ENDING', { ...neverActive, endReason: 'NOT_ACTIVATED' }),
      report('FAILED', 905),
      910,
      { state: 'FAILED', failure: 'The pass policy forbids it.' },
    ],
    [
      'failed after it was revoked',
      aGrant('ENDING', neverActive),
      report('FAILED', 310),
      311,
      { state: 'ENDED', endReason: 'REVOKED', failure: null, endedAt: at(310) },
    ],
    [
      'all taken back from somebody who had it',
      aGrant('ACTIVE'),
      report('FAILED', 90),
      95,
      { state: 'ENDED', endReason: 'ACCESS_REMOVED' },
    ],
    ['ended by its own lease', aGrant('ACTIVE'), report('ENDED', 659), 670, { state: 'ENDED', endReason: 'EXPIRED', endedAt: at(659) }],
    ['ended by somebody in Entra', aGrant('ACTIVE'), report('ENDED', 200), 201, { state: 'ENDED', endReason: 'ACCESS_REMOVED' }],
    ['ended before it was told as active', aGrant('APPROVED'), report('ENDED', 700), 701, { state: 'ENDED', endReason: 'EXPIRED' }],
    ['ended as it was told', aGrant('ENDING'), report('ENDED', 310), 311, { state: 'ENDED', endReason: 'REVOKED', endedAt: at(310) }],
    ['ended at last', aGrant('END_STUCK'), report('ENDED', 9000), 9001, { state: 'ENDED', endReason: 'REVOKED', endedAt: at(9000) }],
    ['its end fails', aGrant('ENDING'), report('STUCK', 310), 311, { state: 'END_STUCK', endReason: 'REVOKED' }],
    [
      'the end of its lease fails',
      aGrant('ACTIVE'),
      report('STUCK', 670),
      671,
      { state: 'END_STUCK', endReason: 'EXPIRED', endRevision: 5 },
    ],
  ])('%s', (_, grant, told, now, expected) => {
    const next = decideGrant(grant, commandOf(told, grant, at(now)), at(now));
    expect(next).toMatchObject(expected);
    // Told twice, it does nothing.
    expect(decideGrant(next, commandOf(told, next, at(now + 60)), at(now + 60))).toBe(next);
  });

  test.each<[GrantState, EntraReport['state'][]]>([
    ['ACTIVE', ['ACTIVE']],
    ['ENDING', ['ACTIVE']],
    ['END_STUCK', ['ACTIVE', 'STUCK']],
    ['ENDED', ['ACTIVE', 'ENDED', 'FAILED', 'STUCK']],
    ['FAILED', ['ACTIVE', 'ENDED', 'FAILED', 'STUCK']],
  ])('%s is not moved by late ones: %s', (state, states) => {
    const grant = aGrant(state);
    for (const one of states) expect(decideGrant(grant, commandOf(report(one, 90), grant, at(700)), at(700))).toBe(grant);
  });
});
