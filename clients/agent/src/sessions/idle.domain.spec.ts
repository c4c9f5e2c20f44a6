import { expect, test } from '@jest/globals';
import type { Reading } from '../deadline/device-clock.ts';
import { isIdle, observed, type Activity } from './idle.domain.ts';

const minute = 60_000;
/** `wall` and `boot` in minutes. */
const at = (wall: number, boot: number, bootId = 'one'): Reading => ({ wallMs: wall * minute, bootMs: boot * minute, bootId });

/** A table row: what was seen at which moments, and whether a limit of 10 minutes is reached at the last of them. */
test.each<[string, [seen: string, at: Reading][], boolean]>([
  ['just begun', [['a', at(0, 0)]], false],
  [
    'nothing for 9 minutes',
    [
      ['a', at(0, 0)],
      ['a', at(9, 9)],
    ],
    false,
  ],
  [
    'nothing for 10 minutes',
    [
      ['a', at(0, 0)],
      ['a', at(10, 10)],
    ],
    true,
  ],
  [
    'typed after 9 minutes',
    [
      ['a', at(0, 0)],
      ['b', at(9, 9)],
      ['b', at(18, 18)],
    ],
    false,
  ],
  [
    'typed after 9 minutes, then nothing for 10',
    [
      ['a', at(0, 0)],
      ['b', at(9, 9)],
      ['b', at(19, 19)],
    ],
    true,
  ],
  [
    'clock jumps a day ahead',
    [
      ['a', at(0, 0)],
      ['a', at(1440, 1)],
    ],
    false,
  ],
  [
    'clock jumps a day back, nothing for 10 minutes',
    [
      ['a', at(0, 0)],
      ['a', at(-1440, 10)],
    ],
    true,
  ],
  [
    'a suspend of an hour counts',
    [
      ['a', at(0, 0)],
      ['a', at(60, 60)],
    ],
    true,
  ],
  [
    'a time stamp that goes back is activity too',
    [
      ['9', at(0, 0)],
      ['3', at(9, 9)],
      ['3', at(12, 12)],
    ],
    false,
  ],
  [
    'rebooted: begins anew',
    [
      ['a', at(0, 100)],
      ['a', at(30, 1, 'two')],
    ],
    false,
  ],
  [
    'rebooted, nothing for 10 minutes',
    [
      ['a', at(0, 100)],
      ['a', at(30, 1, 'two')],
      ['a', at(41, 12, 'two')],
    ],
    true,
  ],
])('%s', (_name, moments, idle) => {
  let activity: Activity | undefined;
  for (const [seen, now] of moments) activity = observed(activity, seen, now);
  const now = moments.at(-1)![1];
  expect(isIdle(activity, 600, now)).toBe(idle);
  expect(isIdle(activity, null, now)).toBe(false);
});

test('what was never looked at is not idle', () => expect(isIdle(undefined, 60, at(0, 1000))).toBe(false));
