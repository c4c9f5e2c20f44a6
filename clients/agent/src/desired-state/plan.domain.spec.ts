import { describe, expect, test } from '@jest/globals';
import type { EndReason, Phase } from '../state/agent-state.ts';
import { plan, type Observed, type Situation } from './plan.domain.ts';

const observedStates: Observed[] = ['ENABLED', 'PARTIAL', 'DISABLED', 'ABSENT'];

type Desired = NonNullable<Situation['desired']>;
const on = (change: Partial<Desired> = {}): Desired => ({ state: 'ENABLED', grantId: 'new', serverThinksActive: false, ...change });
const off: Desired = { state: 'DISABLED', grantId: null, serverThinksActive: false };
const absent: Desired = { ...off, state: 'ABSENT' };
const rec = (phase: Phase, grantId: string | null = 'new', endReason: EndReason | null = null) => ({ phase, grantId, endReason });

/** One row: what is wanted, what the agent remembers, and the step for ENABLED, PARTIAL, DISABLED, ABSENT. */
type Row = [name: string, situation: Pick<Situation, 'desired' | 'record'> & Partial<Situation>, steps: [string, string, string, string]];

const D = 'DISABLE';
const rows: Row[] = [
  ['not listed, nothing known', { desired: undefined, record: undefined }, [D, D, '-', '-']],
  ['not listed, session runs', { desired: undefined, record: rec('ACTIVE') }, [D, D, D, D]],
  ['not listed, over', { desired: undefined, record: rec('ENDED') }, [D, D, '-', '-']],
  ['off, nothing known', { desired: off, record: undefined }, [D, D, '-', '-']],
  ['off, being enabled', { desired: off, record: rec('ENABLING') }, [D, D, D, D]],
  ['off, session runs', { desired: off, record: rec('ACTIVE') }, [D, D, D, D]],
  [
    'off, being ended',
    { desired: off, record: rec('ENDING', 'new', 'LOGGED_OFF') },
    [`${D} LOGGED_OFF`, `${D} LOGGED_OFF`, `${D} LOGGED_OFF`, `${D} LOGGED_OFF`],
  ],
  ['off, over', { desired: off, record: rec('ENDED') }, [D, D, '-', '-']],
  ['off, failed', { desired: off, record: rec('FAILED') }, [D, D, '-', '-']],
  ['to be deleted, nothing known', { desired: absent, record: undefined }, [D, D, 'REMOVE', '-']],
  ['to be deleted, session runs', { desired: absent, record: rec('ACTIVE') }, [D, D, D, D]],
  ['to be deleted, over', { desired: absent, record: rec('ENDED') }, [D, D, 'REMOVE', '-']],
  ['on, nothing known', { desired: on(), record: undefined }, ['ENABLE', 'ENABLE', 'ENABLE', 'ENABLE']],
  ['on, too late', { desired: on(), record: undefined, mayActivate: false }, Array(4).fill(`${D} NOT_ACTIVATED`) as Row[2]],
  ['on, active for the server, memory lost', { desired: on({ serverThinksActive: true }), record: undefined }, [D, D, D, D]],
  ['on, killed while enabling', { desired: on(), record: rec('ENABLING') }, ['ENABLE', 'ENABLE', 'ENABLE', 'ENABLE']],
  [
    'on, killed while enabling, now too late',
    { desired: on(), record: rec('ENABLING'), mayActivate: false },
    Array(4).fill(`${D} NOT_ACTIVATED`) as Row[2],
  ],
  [
    'on, killed while enabling, session over',
    { desired: on(), record: rec('ENABLING'), expired: true },
    Array(4).fill(`${D} EXPIRED`) as Row[2],
  ],
  ['on, session runs', { desired: on(), record: rec('ACTIVE') }, ['-', 'ENABLE', 'ENABLE', 'ENABLE']],
  [
    'on, session runs, activateBy long past',
    { desired: on(), record: rec('ACTIVE'), mayActivate: false },
    ['-', 'ENABLE', 'ENABLE', 'ENABLE'],
  ],
  ['on, session over', { desired: on(), record: rec('ACTIVE'), expired: true }, Array(4).fill(`${D} EXPIRED`) as Row[2]],
  ['on, session runs for an older grant', { desired: on(), record: rec('ACTIVE', 'old') }, [D, D, D, D]],
  ['on, being ended', { desired: on(), record: rec('ENDING', 'new', 'LOGGED_OFF') }, Array(4).fill(`${D} LOGGED_OFF`) as Row[2]],
  ['on, an older grant being ended', { desired: on(), record: rec('ENDING', 'old', 'EXPIRED') }, Array(4).fill(`${D} EXPIRED`) as Row[2]],
  [
    'on, this grant is over here already',
    { desired: on(), record: rec('ENDED', 'new', 'EXPIRED') },
    [`${D} EXPIRED`, `${D} EXPIRED`, '-', '-'],
  ],
  ['on, this grant failed here', { desired: on(), record: rec('FAILED') }, [D, D, '-', '-']],
  ['on, an older grant is over', { desired: on(), record: rec('ENDED', 'old', 'EXPIRED') }, ['ENABLE', 'ENABLE', 'ENABLE', 'ENABLE']],
  ['on, an older grant failed', { desired: on(), record: rec('FAILED', 'old') }, ['ENABLE', 'ENABLE', 'ENABLE', 'ENABLE']],
];

describe.each(rows)('%s', (_name, situation, steps) => {
  test.each(observedStates.map((observed, index) => [observed, steps[index]!] as const))('%s', (observed, step) => {
    const next = plan({ expired: false, mayActivate: true, ...situation, observed });
    expect(next.do === 'DISABLE' ? [next.do, next.reason].filter(Boolean).join(' ') : next.do === 'NOTHING' ? '-' : next.do).toBe(step);
  });
});

test('whatever is wanted and remembered: nothing that is over, unknown or unwanted stays usable', () => {
  const phases: Phase[] = ['ENABLING', 'ACTIVE', 'ENDING', 'ENDED', 'FAILED'];
  for (const desired of [undefined, off, absent, on()])
    for (const record of [undefined, ...phases.map((phase) => rec(phase))])
      for (const observed of ['ENABLED', 'PARTIAL'] as const) {
        const next = plan({ desired, record, observed, expired: true, mayActivate: false });
        expect(next.do).toBe('DISABLE');
      }
});
