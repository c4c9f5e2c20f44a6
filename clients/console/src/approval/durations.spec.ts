import { expect, test } from '@jest/globals';
import { durationsUpTo } from './durations.ts';

test.each([
  [3600, 3600, [300, 900, 1800, 3600]],
  [28_800, 3600, [300, 900, 1800, 3600, 7200, 14_400, 28_800]],
  [5400, 5400, [300, 900, 1800, 3600, 5400]],
  [120, 120, [120]],
  // A rule may allow less than the tenant's usual session.
  [1800, 3600, [300, 900, 1800]],
])('of up to %d s with %d s preset', (longest, preset, offered) => expect(durationsUpTo(longest, preset)).toEqual(offered));
