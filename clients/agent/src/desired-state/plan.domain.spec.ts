import { describe, expect, test } from '@jest/globals';
import type { EndReason, Phase } from '../state/agent-state.ts';
import { planAccount, planGrant, type AccountSituation, type GrantSituation, type GrantVerdict, type Observed } from './plan.domain.ts';

const phases: Phase[] = ['ENABLING', 'ACTIVE', 'ENDING', 'ENDED', 'FAILED'];
const on = { serverThinksActive: false, mayActivate: true };
const late = { serverThinksActive: false, mayActivate: false };
const known = { serverThinksActive: true, mayActivate: false };
const rec = (phase: Phase, endReason: EndReason | null = null) => ({ phase, endReason });
const said = (verdict: GrantVerdict) => (verdict.is === 'END' ? `END ${verdict.reason ?? '-'}` : verdict.is);

describe('one grant: what the server says × what is remembered', () => {
  /** [name, what the server says, then the verdict for: nothing known, ENABLING, ACTIVE, ENDING, ENDED, FAILED]. */
  test.each<[string, Partial<GrantSituation>, string[]]>([
    ['not listed', { desired: undefined }, ['OVER', 'END -', 'END -', 'ENDING', 'OVER', 'OVER']],
    ['listed', { desired: on }, ['BEGIN', 'BEGIN', 'KEEP', 'ENDING', 'OVER', 'OVER']],
    ['listed, too late to begin', { desired: late }, ['END NOT_ACTIVATED', 'END NOT_ACTIVATED', 'KEEP', 'ENDING', 'OVER', 'OVER']],
    ['listed as active', { desired: known }, ['END -', 'END NOT_ACTIVATED', 'KEEP', 'ENDING', 'OVER', 'OVER']],
    ['listed, time over', { desired: on, expired: true }, ['BEGIN', 'END EXPIRED', 'END EXPIRED', 'ENDING', 'OVER', 'OVER']],
    ['not listed, time over', { expired: true }, ['OVER', 'END EXPIRED', 'END EXPIRED', 'ENDING', 'OVER', 'OVER']],
    ['listed, idle', { desired: on, idle: true }, ['BEGIN', 'BEGIN', 'END IDLE', 'ENDING', 'OVER', 'OVER']],
    [
      'listed, idle and time over',
      { desired: on, idle: true, expired: true },
      ['BEGIN', 'END EXPIRED', 'END EXPIRED', 'ENDING', 'OVER', 'OVER'],
    ],
    ['begun offline, not listed', { offline: true }, ['OVER', 'BEGIN', 'KEEP', 'ENDING', 'OVER', 'OVER']],
    ['begun offline, time over', { offline: true, expired: true }, ['OVER', 'END EXPIRED', 'END EXPIRED', 'ENDING', 'OVER', 'OVER']],
    ['begun offline, idle', { offline: true, idle: true }, ['OVER', 'BEGIN', 'END IDLE', 'ENDING', 'OVER', 'OVER']],
    ['begun offline, listed since', { offline: true, desired: known }, ['END -', 'BEGIN', 'KEEP', 'ENDING', 'OVER', 'OVER']],
  ])('%s', (_name, given, verdicts) => {
    const situations = [undefined, ...phases.map((phase) => rec(phase))].map((record) => ({
      desired: undefined,
      offline: false,
      expired: false,
      idle: false,
      ...given,
      record,
    }));
    expect(situations.map((situation) => said(planGrant(situation)))).toEqual(verdicts);
  });
});

const observedStates: Observed[] = ['ENABLED', 'PARTIAL', 'DISABLED', 'ABSENT'];
const verdict: Record<string, GrantVerdict> = {
  keep: { is: 'KEEP' },
  begin: { is: 'BEGIN' },
  end: { is: 'END', reason: 'EXPIRED' },
  ending: { is: 'ENDING' },
  over: { is: 'OVER' },
};

describe('one account: its grants × what is seen', () => {
  /** [what the server wants, the grants' verdicts, then the step for ENABLED, PARTIAL, DISABLED, ABSENT]. */
  test.each<[AccountSituation['desired'], string, [string, string, string, string]]>([
    [undefined, '', ['DISABLE', 'DISABLE', '-', '-']],
    ['DISABLED', '', ['DISABLE', 'DISABLE', '-', '-']],
    ['ABSENT', '', ['DISABLE', 'DISABLE', 'REMOVE', '-']],
    ['ENABLED', '', ['DISABLE', 'DISABLE', '-', '-']],
    ['ENABLED', 'over', ['DISABLE', 'DISABLE', '-', '-']],
    ['ABSENT', 'over', ['DISABLE', 'DISABLE', 'REMOVE', '-']],
    ['ENABLED', 'begin', ['ENABLE 1', 'ENABLE 1', 'ENABLE 1', 'ENABLE 1']],
    ['ENABLED', 'begin begin', ['ENABLE 12', 'ENABLE 12', 'ENABLE 12', 'ENABLE 12']],
    ['ENABLED', 'over begin', ['ENABLE 2', 'ENABLE 2', 'ENABLE 2', 'ENABLE 2']],
    ['ENABLED', 'keep', ['-', 'ENABLE ', 'ENABLE ', 'ENABLE ']],
    ['DISABLED', 'keep', ['-', 'ENABLE ', 'ENABLE ', 'ENABLE ']],
    ['ENABLED', 'keep keep', ['-', 'ENABLE ', 'ENABLE ', 'ENABLE ']],
    ['ENABLED', 'keep begin', ['ADMIT 2', 'ENABLE 2', 'ENABLE 2', 'ENABLE 2']],
    ['ENABLED', 'end', Array(4).fill('END 1') as [string, string, string, string]],
    ['ENABLED', 'keep end', Array(4).fill('END 2') as [string, string, string, string]],
    ['ENABLED', 'end begin end', Array(4).fill('END 13') as [string, string, string, string]],
    ['ENABLED', 'ending', Array(4).fill('DISABLE') as [string, string, string, string]],
    ['ABSENT', 'ending', Array(4).fill('DISABLE') as [string, string, string, string]],
    ['ENABLED', 'ending begin', Array(4).fill('DISABLE') as [string, string, string, string]],
    ['ENABLED', 'ending keep', Array(4).fill('END_SESSIONS 1') as [string, string, string, string]],
    ['ENABLED', 'ending keep begin', Array(4).fill('END_SESSIONS 1') as [string, string, string, string]],
    ['ENABLED', 'ending ending over keep', Array(4).fill('END_SESSIONS 12') as [string, string, string, string]],
  ])('%s with grants "%s"', (desired, verdicts, steps) => {
    const grants = verdicts
      .split(' ')
      .filter(Boolean)
      .map((name, index) => ({ grantId: String(index + 1), verdict: verdict[name]! }));
    const taken = observedStates.map((observed) => {
      const step = planAccount({ desired, observed, grants });
      if ('grantIds' in step) return `${step.do} ${step.grantIds.join('')}`;
      if (step.do === 'END') return `END ${step.grants.map(({ grantId }) => grantId).join('')}`;
      return step.do === 'NOTHING' ? '-' : step.do;
    });
    expect(taken).toEqual(steps);
  });
});

test('whatever is wanted and remembered: without a live grant nothing stays usable', () => {
  for (const desired of [undefined, 'ENABLED', 'DISABLED', 'ABSENT'] as const)
    for (const is of [[], ['over'], ['ending'], ['over', 'ending']])
      for (const observed of ['ENABLED', 'PARTIAL'] as const) {
        const grants = is.map((name, index) => ({ grantId: String(index), verdict: verdict[name]! }));
        expect(planAccount({ desired, observed, grants }).do).toBe('DISABLE');
      }
});

test('an account that somebody uses is never disabled or deleted for another one', () => {
  for (const desired of [undefined, 'ENABLED', 'DISABLED', 'ABSENT'] as const)
    for (const other of ['over', 'ending', 'end', 'begin', 'keep'])
      for (const observed of observedStates) {
        const grants = [verdict['keep']!, verdict[other]!].map((each, index) => ({ grantId: String(index), verdict: each }));
        expect(['DISABLE', 'REMOVE']).not.toContain(planAccount({ desired, observed, grants }).do);
      }
});
