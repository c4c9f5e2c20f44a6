import { describe, expect, test } from '@jest/globals';
import { changedMembers } from './group.command.ts';

describe('the members of a group', () => {
  test.each([
    [{}, null],
    [{ none: true }, []],
    [{ only: ['c', 'c'] }, ['c']],
    [{ add: ['c', 'a'] }, ['a', 'b', 'c']],
    [{ remove: ['a', 'x'] }, ['b']],
    [{ add: ['c'], remove: ['b'] }, ['a', 'c']],
  ])('a, b with %j', (change, after) => expect(changedMembers(['a', 'b'], change)).toEqual(after));
});
