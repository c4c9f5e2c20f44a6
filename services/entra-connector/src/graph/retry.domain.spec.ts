import { expect, test } from '@jest/globals';
import { DirectoryError, type DirectoryErrorKind } from './directory-error.ts';
import { retryDelayMs, type Attempted } from './retry.domain.ts';

const error = (kind: DirectoryErrorKind, retryAfterSeconds?: number, mayHaveHappened = false) =>
  new DirectoryError({ kind, message: '', mayHaveHappened, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
const first: Attempted = { attempts: 1, waitedMs: 0, urgency: 'HIGH', repeatable: true };

test.each<[string, DirectoryError, Partial<Attempted>, number | null]>([
  ['throttled: exactly as long as Microsoft says', error('THROTTLED', 7), {}, 7_000],
  ['throttled, of a call that may not be done twice: it was not done', error('THROTTLED', 7), { repeatable: false }, 7_000],
  ['told to wait longer than anybody may wait here', error('THROTTLED', 16), {}, null],
  ['the same in the background', error('THROTTLED', 16), { urgency: 'LOW' }, 16_000],
  ['told to wait, after having waited', error('THROTTLED', 7), { waitedMs: 9_000 }, null],
  ['throttled without a word', error('THROTTLED'), {}, 1_000],
  ['throttled again', error('THROTTLED'), { attempts: 3 }, 4_000],
  ['not shown yet', error('NOT_YET'), { repeatable: false }, 1_000],
  ['away, and may be repeated', error('UNAVAILABLE'), {}, 1_000],
  ['away with a word', error('UNAVAILABLE', 3), {}, 3_000],
  ['away, may have been done, and may be repeated', error('UNAVAILABLE', undefined, true), {}, 1_000],
  ['away, and may have been done', error('UNAVAILABLE', undefined, true), { repeatable: false }, null],
  ['away, and was not done', error('UNAVAILABLE'), { repeatable: false }, 1_000],
  ['never more than seven times', error('UNAVAILABLE'), { attempts: 7, urgency: 'LOW' }, null],
  ['never longer than 16 seconds by ourselves', error('UNAVAILABLE'), { attempts: 6, urgency: 'LOW' }, 16_000],
  ['refused', error('FORBIDDEN'), {}, null],
  ['wrong', error('INVALID'), {}, null],
  ['too soon: five minutes are for the caller', error('TOO_SOON'), {}, null],
])('%s', (_name, failure, change, delay) => {
  expect(retryDelayMs(failure, { ...first, ...change }, 1)).toBe(delay);
});

test('waits without a word are spread over the upper half', () => {
  expect(retryDelayMs(error('THROTTLED'), first, 0)).toBe(500);
});
