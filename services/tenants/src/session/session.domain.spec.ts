import { describe, expect, test } from '@jest/globals';
import { mayRefresh, type RefreshTokenState } from './session.domain.ts';

/** For example `1 used`, `2 superseded`. */
function state(text: string): RefreshTokenState {
  return { rotation: Number.parseInt(text, 10), used: text.includes('used'), superseded: text.includes('superseded') };
}

describe('a refresh token', () => {
  test.each<[string, string, string[], boolean]>([
    ['the first of its session', '0', [], true],
    ['the newest', '2', ['0 used', '1 used'], true],
    ['the one before, whose answer was lost', '1 used', ['0 used', '2'], true],
    ['the one before, whose answer was lost twice', '1 used', ['0 used', '2 superseded', '2'], true],
    ['what was given out in place of a lost one', '2', ['0 used', '1 used', '2 superseded'], true],
    ['the lost one, which turns up', '2 superseded', ['0 used', '1 used', '2'], false],
    ['the one before, after its successor was used', '1 used', ['0 used', '2 used', '3'], false],
    ['an old one', '0 used', ['1 used', '2'], false],
    ['one that was overtaken by its twin', '2', ['0 used', '1 used', '2 used', '3'], false],
  ])('%s (%s beside %j): %s', (_name, token, others, expected) => {
    expect(mayRefresh(state(token), others.map(state))).toBe(expected);
  });
});
