import { describe, expect, test } from '@jest/globals';
import { sendableChanges, sendableName, toldName } from './sendable.domain.ts';

const names = (count: number, prefix = 'n') => Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('changes of privileged groups', () => {
  test('few are told as they are', () => {
    const changes = [{ groupName: 'sudo', added: ['mallory'], removed: ['bo'] }];
    expect(sendableChanges(changes)).toEqual(changes);
  });

  test('of many, additions come first, and what is left out is counted', () => {
    const told = sendableChanges([
      { groupName: 'adm', added: [], removed: names(300, 'r') },
      { groupName: 'docker', added: names(90), removed: [] },
      { groupName: 'sudo', added: names(201, 'x'), removed: [] },
    ]);
    expect(told.map(({ groupName }) => groupName)).toEqual(['docker', 'sudo', 'adm']);
    expect(told[0]?.added).toHaveLength(90);
    expect(told[1]?.added).toEqual([...names(10, 'x'), 'and 191 more']);
    expect(told[2]?.removed).toEqual(['and 300 more']);
  });

  test('however long the names are, they fit', () => {
    const one = { groupName: 'g'.repeat(9_000), added: names(500, '😈'.repeat(5_000)), removed: names(500, 'ä'.repeat(5_000)) };
    const text = JSON.stringify(sendableChanges(Array.from({ length: 80 }, () => one)));
    expect(Buffer.byteLength(text)).toBeLessThan(40_000);
    expect(text.isWellFormed()).toBe(true);
  });
});

test.each([
  ['jit-anna', 'jit-anna', 'jit-anna'],
  ['ünic', null, '_nic'],
  ['-x', null, '_x'],
  ['x$', null, 'x_'],
  ['', null, '_'],
  ['a'.repeat(70), null, 'a'.repeat(64)],
])('the name %j', (name, sendable, told) => {
  expect(sendableName(name)).toBe(sendable);
  expect(toldName(name)).toBe(told);
});
