import { describe, expect, test } from '@jest/globals';
import type { AccountFiles } from './account-files.ts';
import { adminGroup, deadManDay, observe } from './observe.domain.ts';

const today = 20_780;
const noon = today * 86_400_000 + 43_200_000;
const ann = { name: 'jit-ann', uid: 1001, gid: 100, gecos: '', home: '/home/jit-ann', shell: '/bin/bash' };

interface Case {
  hash?: string | undefined;
  expireDay?: number | null;
  groups?: string[];
  dropIn?: boolean;
  dropInsUsed?: boolean;
  uid?: number;
  gid?: number;
}

function seen({ hash, expireDay = null, groups = [], dropIn = false, dropInsUsed = true, uid = 1001, gid = 100 }: Case) {
  const files: AccountFiles = {
    passwd: [ann],
    shadow: new Map(hash === undefined ? [] : [[ann.name, { hash, expireDay }]]),
    group: ['root', 'users', 'sudo', 'docker'].map((name, index) => ({
      name,
      gid: [0, 100, 27, 998][index]!,
      members: groups.includes(name) ? ['x', ann.name] : ['x'],
    })),
  };
  return observe(files, { ...ann, uid, gid }, noon, { dropInsUsed, hasDropIn: dropIn });
}

describe('what the files say', () => {
  test.each<[string, Case, string]>([
    ['as it is when enabled', { hash: '$6$x', expireDay: today + 1, groups: ['sudo'], dropIn: true }, 'ENABLED'],
    ['without dead-man day', { hash: '$6$x', groups: ['sudo'], dropIn: true }, 'ENABLED'],
    ['enabled where sudo has no drop-ins', { hash: '$6$x', groups: ['sudo'], dropInsUsed: false }, 'ENABLED'],
    ['as it is when disabled', { hash: '!$6$x', expireDay: 1 }, 'DISABLED'],
    ['disabled, never had a password', { hash: '!', expireDay: 1 }, 'DISABLED'],
    ['locked only', { hash: '!$6$x' }, 'PARTIAL'],
    ['expired only', { hash: '$6$x', expireDay: 1 }, 'PARTIAL'],
    ['the dead-man day came', { hash: '$6$x', expireDay: today, groups: ['sudo'], dropIn: true }, 'PARTIAL'],
    ['disabled but still admin', { hash: '!$6$x', expireDay: 1, groups: ['sudo'] }, 'PARTIAL'],
    ['disabled but in docker', { hash: '!$6$x', expireDay: 1, groups: ['docker'] }, 'PARTIAL'],
    ['disabled but the drop-in is there', { hash: '!$6$x', expireDay: 1, dropIn: true }, 'PARTIAL'],
    ['disabled but uid 0', { hash: '!$6$x', expireDay: 1, uid: 0 }, 'PARTIAL'],
    ['disabled but primary group root', { hash: '!$6$x', expireDay: 1, gid: 0 }, 'PARTIAL'],
    ['expiry day 0 counts as none', { hash: '!$6$x', expireDay: 0 }, 'PARTIAL'],
    ['no shadow entry', {}, 'PARTIAL'],
    ['no password at all', { hash: '', groups: ['sudo'], dropIn: true }, 'PARTIAL'],
    ['usable but not an administrator', { hash: '$6$x', expireDay: today + 1 }, 'PARTIAL'],
    ['administrator without drop-in', { hash: '$6$x', expireDay: today + 1, groups: ['sudo'] }, 'PARTIAL'],
  ])('%s', (_name, given, state) => expect(seen(given)).toBe(state));
});

test.each([
  [['wheel', 'sudo'], 'sudo'],
  [['wheel'], 'wheel'],
  [['users'], undefined],
])('admin group among %j', (names, name) => {
  expect(adminGroup({ passwd: [], shadow: new Map(), group: names.map((group, gid) => ({ name: group, gid, members: [] })) })?.name).toBe(
    name,
  );
});

test.each([
  [noon, today + 1],
  [(today + 1) * 86_400_000 - 1, today + 1],
  [(today + 1) * 86_400_000, today + 2],
])('dead-man day', (endsAt, day) => expect(deadManDay(endsAt)).toBe(day));
