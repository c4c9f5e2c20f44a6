import { describe, expect, test } from '@jest/globals';
import { decideVersion, versionsAfter, type VersionState } from './version.domain.ts';

const version = (state: VersionState, fence = 5) => ({ id: `${state} ${fence}`, state, fence });

describe('every (state, command)', () => {
  test.each<[VersionState, VersionState | null, VersionState | null, VersionState, VersionState, VersionState]>([
    // state,     follow,      confirm,   replaced by a newer, by an older, find
    ['PENDING', 'CANDIDATE', 'CURRENT', 'FORMER', 'PENDING', 'PENDING'],
    ['CANDIDATE', 'CANDIDATE', 'CURRENT', 'FORMER', 'CANDIDATE', 'CANDIDATE'],
    ['CURRENT', 'CURRENT', 'CURRENT', 'FORMER', 'FORMER', 'CURRENT'],
    ['FORMER', 'FORMER', null, 'FORMER', 'FORMER', 'CANDIDATE'],
  ])('%s', (state, follow, confirm, byNewer, byOlder, find) => {
    expect(decideVersion(version(state), { do: 'follow' })).toBe(follow);
    expect(decideVersion(version(state), { do: 'confirm' })).toBe(confirm);
    expect(decideVersion(version(state), { do: 'replace', fence: 6 })).toBe(byNewer);
    expect(decideVersion(version(state), { do: 'replace', fence: 4 })).toBe(byOlder);
    expect(decideVersion(version(state), { do: 'find' })).toBe(find);
  });
});

describe('what a command about one changes in all', () => {
  const all = [version('FORMER', 1), version('CURRENT', 2), version('CANDIDATE', 3), version('PENDING', 4)];
  const states = (id: string, command: 'confirm' | 'find') => versionsAfter(all, id, command)?.map((one) => [one.fence, one.state]);

  test('the open one is read back: all before it are former', () =>
    expect(states('PENDING 4', 'confirm')).toEqual([
      [2, 'FORMER'],
      [3, 'FORMER'],
      [4, 'CURRENT'],
    ]));

  test('one that was cut short is read back: the open one may be set yet', () =>
    expect(states('CANDIDATE 3', 'confirm')).toEqual([
      [2, 'FORMER'],
      [3, 'CURRENT'],
    ]));

  test('the current one again changes nothing', () => expect(states('CURRENT 2', 'confirm')).toEqual([]));
  test('a former one is too late', () => expect(states('FORMER 1', 'confirm')).toBeUndefined());
  test('a former one is found again', () => expect(states('FORMER 1', 'find')).toEqual([[1, 'CANDIDATE']]));
  test('one that is known as possible is found', () => expect(states('CANDIDATE 3', 'find')).toEqual([]));
  test('an unknown one is none', () => expect(states('x', 'confirm')).toBeUndefined());
});
