import { describe, expect, test } from '@jest/globals';
import type { AccountFiles } from '../accounts/account-files.ts';
import { privilegedDifference, privilegedMembers, removable, type PrivilegedChange, type PrivilegedSnapshot } from './privileged.domain.ts';

const person = (name: string, uid: number, gid = 100, gecos = '') => ({ name, uid, gid, gecos, home: `/home/${name}`, shell: '/bin/sh' });
const group = (name: string, gid: number, ...members: string[]) => ({ name, gid, members });

function filesOf(passwd: AccountFiles['passwd'], groups: AccountFiles['group']): AccountFiles {
  return { passwd: [person('root', 0, 0), ...passwd], shadow: new Map(), group: [group('root', 0), group('users', 100), ...groups] };
}

describe('who is privileged', () => {
  test.each<[string, AccountFiles, PrivilegedSnapshot]>([
    ['nobody but root', filesOf([], [group('sudo', 27)]), { root: [], sudo: [], 'uid 0': ['root'] }],
    ['listed members', filesOf([person('bo', 1000)], [group('sudo', 27, 'bo', 'bo')]), { root: [], sudo: ['bo'], 'uid 0': ['root'] }],
    ['by primary group', filesOf([person('bo', 1000, 27)], [group('sudo', 27)]), { root: [], sudo: ['bo'], 'uid 0': ['root'] }],
    [
      'an orphaned name breaks nothing',
      filesOf([], [group('wheel', 10, 'left-2019'), group('docker', 998, 'bo')]),
      { root: [], wheel: ['left-2019'], docker: ['bo'], 'uid 0': ['root'] },
    ],
    ['a second account with number 0', filesOf([person('toor', 0)], []), { root: [], 'uid 0': ['root', 'toor'] }],
    ['primary group root', filesOf([person('bo', 1000, 0)], []), { root: ['bo'], 'uid 0': ['root'] }],
    ['another name of group 0', filesOf([], [group('boss', 0, 'bo')]), { root: [], boss: ['bo'], 'uid 0': ['root'] }],
    [
      "Stint's own accounts are not news",
      filesOf([person('jit-ann', 1001, 100, 'Ann,,,,stint=019ab111-0000-7000-8000-000000000001')], [group('sudo', 27, 'jit-ann', 'bo')]),
      { root: [], sudo: ['bo'], 'uid 0': ['root'] },
    ],
    [
      'an account that wears a mark of its own making',
      filesOf([person('evil', 1001, 100, 'x,,,,stint=x')], [group('sudo', 27, 'evil')]),
      { root: [], sudo: ['evil'], 'uid 0': ['root'] },
    ],
    [
      'a marked account with number 0',
      filesOf([person('evil', 0, 100, 'x,,,,stint=019ab111-0000-7000-8000-000000000001')], []),
      { root: [], 'uid 0': ['evil', 'root'] },
    ],
    ['ordinary groups do not count', filesOf([], [group('audio', 29, 'bo')]), { root: [], 'uid 0': ['root'] }],
  ])('%s', (_name, files, members) => expect(privilegedMembers(files)).toEqual(members));
});

describe('what changed', () => {
  test.each<[string, PrivilegedSnapshot, PrivilegedSnapshot, PrivilegedChange[]]>([
    ['nothing', { sudo: ['a', 'b'] }, { sudo: ['b', 'a'] }, []],
    ['added', { sudo: ['a'] }, { sudo: ['a', 'b'] }, [{ groupName: 'sudo', added: ['b'], removed: [] }]],
    ['removed', { sudo: ['a'] }, { sudo: [] }, [{ groupName: 'sudo', added: [], removed: ['a'] }]],
    ['exchanged', { sudo: ['a'] }, { sudo: ['b'] }, [{ groupName: 'sudo', added: ['b'], removed: ['a'] }]],
    ['a new group', {}, { docker: ['b'] }, [{ groupName: 'docker', added: ['b'], removed: [] }]],
    ['a group that is gone', { docker: ['b'] }, {}, [{ groupName: 'docker', added: [], removed: ['b'] }]],
    ['a new empty group', {}, { docker: [] }, []],
  ])('%s', (_name, before, after, changes) => expect(privilegedDifference(before, after)).toEqual(changes));
});

test('only listed members of groups are taken out again, and only those that were added', () => {
  const files = filesOf([person('prim', 1000, 27)], [group('sudo', 27, 'old', 'new', 'orphan')]);
  const changes = [
    { groupName: 'sudo', added: ['new', 'orphan', 'prim', 'gone'], removed: ['left'] },
    { groupName: 'uid 0', added: ['toor'], removed: [] },
    { groupName: 'sudoers', added: ['/etc/sudoers.d/x'], removed: [] },
  ];
  expect(removable(changes, files)).toEqual([
    { groupName: 'sudo', member: 'new' },
    { groupName: 'sudo', member: 'orphan' },
  ]);
});
